package io.github.workerregistry.examples;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Lists the warnings of the library or the hive that the tests of a class may cause. See {@link UnexpectedWarnings}.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface ExpectWarnings {

    /**
     * Parts of the messages.
     *
     * @return the parts
     */
    String[] value();
}
