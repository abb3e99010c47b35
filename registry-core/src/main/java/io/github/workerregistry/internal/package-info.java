/** What several packages of this module share and no other module sees. */
@NullMarked
package io.github.workerregistry.internal;

import org.jspecify.annotations.NullMarked;
