package dev.streamjob.benchmarks.flink;

import dev.streamjob.benchmarks.work.WindowTotals;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.util.Collector;

/** The four messages of each window. */
final class Results implements FlatMapFunction<WindowTotals, Result> {
    private static final long serialVersionUID = 1;

    private final String orgId;

    Results(String orgId) {
        this.orgId = orgId;
    }

    @Override
    public void flatMap(WindowTotals totals, Collector<Result> results) {
        byte[] key = totals.asset.getBytes(StandardCharsets.UTF_8);
        totals.results(orgId, value -> results.collect(new Result(key, value, totals.start)));
    }
}
