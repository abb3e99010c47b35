package io.github.workerregistry.examples.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.commons.pool2.BaseKeyedPooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericKeyedObjectPool;
import org.apache.commons.pool2.impl.GenericKeyedObjectPoolConfig;
import org.openjdk.jmh.infra.Blackhole;

/**
 * The keyed pool of commons-pool2: last in, first out; not fair; nothing tested, evicted or shown over JMX; no limit
 * over all keys, which would have to be kept.
 *
 * <p>Its only non-blocking call throws an exception, which makes a miss expensive. That matters only with more callers
 * than free slots.
 */
final class CommonsPoolSubject implements Subject {

    private final GenericKeyedObjectPool<String, Object> pool;
    private final List<Object> held = new ArrayList<>();

    CommonsPoolSubject(Workload workload) throws Exception {
        int largest = workload.workersOf(0).size();
        GenericKeyedObjectPoolConfig<Object> config = new GenericKeyedObjectPoolConfig<>();
        config.setLifo(true);
        config.setFairness(false);
        config.setJmxEnabled(false);
        config.setBlockWhenExhausted(false);
        config.setMaxTotal(-1);
        config.setMaxTotalPerKey(largest);
        config.setMaxIdlePerKey(largest);
        pool = new GenericKeyedObjectPool<>(new Workers(), config);
        for (int model = 0; model < workload.models(); model++) {
            String key = workload.model(model);
            pool.addObjects(key, workload.workersOf(model).size());
            for (int i = workload.heldOf(model); i > 0; i--) {
                held.add(pool.borrowObject(key));
            }
        }
    }

    @Override
    public Taker taker() {
        return this::takeAndGive;
    }

    private boolean takeAndGive(String model, Blackhole hole) {
        Object worker;
        try {
            worker = pool.borrowObject(model);
        } catch (NoSuchElementException e) {
            return false;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        hole.consume(worker);
        pool.returnObject(model, worker);
        return true;
    }

    private static final class Workers extends BaseKeyedPooledObjectFactory<String, Object> {
        @Override
        public Object create(String model) {
            return new Object();
        }

        @Override
        public PooledObject<Object> wrap(Object worker) {
            return new DefaultPooledObject<>(worker);
        }
    }
}
