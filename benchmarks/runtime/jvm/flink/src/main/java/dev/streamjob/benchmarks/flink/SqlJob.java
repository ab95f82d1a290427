package dev.streamjob.benchmarks.flink;

import dev.streamjob.benchmarks.work.Arguments;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/** The same in SQL. */
final class SqlJob {
    private static final String MESSAGES =
            """
            CREATE TABLE messages (
                payload ARRAY<ROW<assetId STRING, `time` BIGINT, measurepoints ROW<Reading DOUBLE>>>,
                event_time AS TO_TIMESTAMP_LTZ(payload[1].`time`, 3),
                WATERMARK FOR event_time AS event_time
            ) WITH (
                'connector' = 'kafka',
                'topic' = '%s',
                'properties.bootstrap.servers' = '%s',
                'properties.group.id' = '%s',
                'properties.max.poll.records' = '5000',
                'properties.max.partition.fetch.bytes' = '4194304',
                'scan.startup.mode' = 'earliest-offset',
                'format' = 'json'
            )""";
    private static final String RESULTS =
            """
            CREATE TABLE results (
                asset STRING,
                message STRING,
                event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'
            ) WITH (
                'connector' = 'kafka',
                'topic' = '%s',
                'properties.bootstrap.servers' = '%s',
                'properties.linger.ms' = '50',
                'properties.batch.size' = '262144',
                'properties.compression.type' = 'lz4',
                'key.format' = 'raw',
                'key.fields' = 'asset',
                'value.format' = 'raw',
                'value.fields-include' = 'EXCEPT_KEY',
                'sink.delivery-guarantee' = 'at-least-once'
            )""";
    private static final String WINDOWS =
            """
            INSERT INTO results
            WITH readings AS (
                SELECT assetId, event_time, Reading
                FROM (
                    SELECT item.assetId, event_time, item.measurepoints.Reading AS Reading
                    FROM messages CROSS JOIN UNNEST(payload) AS item (assetId, `time`, measurepoints)
                )
                WHERE Reading >= 0 AND Reading < 1e6
            ),
            closed AS (
                SELECT
                    assetId, window_start,
                    CAST(UNIX_TIMESTAMP(DATE_FORMAT(window_start, 'yyyy-MM-dd HH:mm:ss')) * 1000 AS STRING) AS `start`,
                    MAX(Reading) AS highest, MIN(Reading) AS lowest, SUM(Reading) AS total, COUNT(Reading) AS amount
                FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(event_time), INTERVAL '10' MINUTE))
                GROUP BY assetId, window_start, window_end
            )
            SELECT
                assetId,
                CONCAT(
                    '{"orgId":"%s","modelId":"ElectricMeter","modelIdPath":"/ElectricMeter","assetId":"', assetId,
                    '","pointId":"', point, '","time":', `start`, ',"value":', figure,
                    ',"quality":0,"attr":{"windowAggregator":{"calType":"', kind, '","calMode":"final"}}}'
                ),
                CAST(window_start AS TIMESTAMP_LTZ(3))
            FROM closed CROSS JOIN UNNEST(ARRAY[
                ROW('max', 'MaxReading10Min', CAST(highest AS STRING)),
                ROW('min', 'MinReading10Min', CAST(lowest AS STRING)),
                ROW('sum', 'SumReading10Min', CAST(total AS STRING)),
                ROW('cnt', 'CntReading10Min', CAST(amount AS STRING))
            ]) AS messages_of (kind, point, figure)""";

    private SqlJob() {}

    static void run(StreamExecutionEnvironment environment, Arguments arguments) throws Exception {
        StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
        tables.getConfig().set("table.local-time-zone", "UTC");
        String servers = arguments.of("bootstrap-servers");
        String output = arguments.of("output-topic");
        tables.executeSql(MESSAGES.formatted(arguments.of("input-topic"), servers, output));
        tables.executeSql(RESULTS.formatted(output, servers));
        tables.executeSql(WINDOWS.formatted(arguments.of("org-id"))).await();
    }
}
