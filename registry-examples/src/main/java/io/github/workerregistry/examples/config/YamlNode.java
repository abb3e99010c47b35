package io.github.workerregistry.examples.config;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A YAML document whose parts know their lines. */
sealed interface YamlNode {

    /** Where it begins, from 1. */
    int line();

    /** A string, a number, a boolean, or null. */
    record Scalar(int line, JsonToken kind, String text) implements YamlNode {}

    /** A sequence. */
    record Items(int line, List<YamlNode> items) implements YamlNode {}

    /** A mapping, by key. */
    record Fields(int line, Map<String, Field> fields) implements YamlNode {}

    /** A key with its value. */
    record Field(int line, YamlNode value) {}

    /**
     * Parses a document.
     *
     * @throws ConfigException if it is no valid YAML, or has a key twice
     */
    static YamlNode parse(String file, String text) {
        Faults faults = new Faults(file);
        try (JsonParser yaml = new YAMLFactory().createParser(text)) {
            if (yaml.nextToken() == null) {
                return new Fields(1, Map.of());
            }
            YamlNode document = node(yaml, faults);
            if (yaml.nextToken() != null) {
                faults.add(line(yaml), "a second document is not allowed");
            }
            faults.throwIfAny();
            return document;
        } catch (JacksonException e) {
            faults.add(
                    e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                    e.getOriginalMessage().lines().findFirst().orElse("no valid YAML"));
            throw faults.exception();
        } catch (IOException e) {
            throw new IllegalStateException(e); // from a string?
        }
    }

    private static YamlNode node(JsonParser yaml, Faults faults) throws IOException {
        int line = line(yaml);
        if (yaml.currentToken() == JsonToken.START_ARRAY) {
            List<YamlNode> items = new ArrayList<>();
            while (yaml.nextToken() != JsonToken.END_ARRAY) {
                items.add(node(yaml, faults));
            }
            return new Items(line, items);
        }
        if (yaml instanceof YAMLParser parser && parser.isCurrentAlias()) {
            faults.add(line, "aliases such as *" + yaml.getText() + " are not supported");
        }
        if (yaml.currentToken() != JsonToken.START_OBJECT) {
            return new Scalar(line, yaml.currentToken(), yaml.getText());
        }
        Map<String, Field> fields = new LinkedHashMap<>();
        while (yaml.nextToken() == JsonToken.FIELD_NAME) {
            String key = yaml.currentName();
            int keyLine = line(yaml);
            yaml.nextToken();
            Field before = fields.put(key, new Field(keyLine, node(yaml, faults)));
            if (before != null) {
                faults.add(keyLine, key + " is there twice, first in line " + before.line());
            }
        }
        return new Fields(line, fields);
    }

    private static int line(JsonParser yaml) {
        return yaml.currentTokenLocation().getLineNr();
    }
}
