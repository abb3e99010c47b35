package io.github.workerregistry.examples;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Announces what the tests of a class may make the library, or the hive, warn of. See {@link UnexpectedWarnings}. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface ExpectWarnings {

    /**
     * What the messages contain, one part each.
     *
     * @return the parts
     */
    String[] value();
}
