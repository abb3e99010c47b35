package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.internal.Checks;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/** For any model name, the generated id is a plain name: usable as a file name, an argument, a part of a url. */
@AddLifecycleHook(UnexpectedWarnings.class)
class WorkerIdsProperties {

    @Property
    void anyModelGivesAPlainName(@ForAll("models") String modelRef) {
        String id = new WorkerIds().next(modelRef);

        assertThat(Checks.requireName(id, "id")).matches("[A-Za-z0-9]([A-Za-z0-9_.-]{0,38}[A-Za-z0-9])?-1");
    }

    @Provide
    Arbitrary<String> models() {
        return Arbitraries.oneOf(
                Arbitraries.strings().all().ofMaxLength(256),
                Arbitraries.strings().withChars("ab7/\\.-_:@ \u00e9").ofMaxLength(256));
    }
}
