package dev.streamjob.benchmarks.flink;

import dev.streamjob.benchmarks.work.Arguments;
import java.nio.file.Path;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The work in Flink, in a cluster within this process: {@code --api datastream} or {@code sql}. */
public final class Main {
    private Main() {}

    public static void main(String[] words) throws Exception {
        Arguments arguments = new Arguments(words);
        switch (arguments.of("api")) {
            case "datastream" -> DataStreamJob.run(environment(arguments), arguments);
            case "sql" -> SqlJob.run(environment(arguments), arguments);
            default -> throw new IllegalArgumentException("--api is datastream or sql");
        }
    }

    private static StreamExecutionEnvironment environment(Arguments arguments) {
        Configuration settings = new Configuration();
        settings.set(PipelineOptions.OBJECT_REUSE, true);
        settings.set(StateBackendOptions.STATE_BACKEND, arguments.of("state-backend"));
        settings.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
        settings.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                Path.of(arguments.of("state"), "checkpoints").toUri().toString());
        settings.set(
                CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
                ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
        int cores = Integer.parseInt(arguments.of("cores"));
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(cores, settings);
        environment.enableCheckpointing(
                Long.parseLong(arguments.of("saved-every-ms")), CheckpointingMode.AT_LEAST_ONCE);
        return environment;
    }
}
