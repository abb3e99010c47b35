package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/** Any names are preserved by a mark, including unpaired surrogates and NUL. */
@AddLifecycleHook(UnexpectedWarnings.class)
class OriginProperties {

    @Property
    void anyNamesArePreserved(@ForAll("names") String hiveId, @ForAll("names") String workerId) {
        Origin origin = Origin.here(hiveId, workerId, "5d1e.7");

        ProcessMark mark = origin.mark();

        assertThat(mark.value()).matches("[A-Za-z0-9_.%/-]+");
        assertThat(Origin.of(mark)).hasValue(origin);
    }

    @Provide
    Arbitrary<String> names() {
        return Arbitraries.oneOf(
                Arbitraries.strings().ofMinLength(1).ofMaxLength(256),
                Arbitraries.strings().withChars(" =/%+:0a").ofMinLength(1).ofMaxLength(256),
                Arbitraries.strings().all().ofMinLength(1).ofMaxLength(256),
                Arbitraries.strings()
                        .withCharRange('\uD800', '\uDFFF')
                        .ofMinLength(1)
                        .ofMaxLength(8));
    }
}
