package dev.streamjob.benchmarks.work;

import java.util.HashMap;
import java.util.Map;

/** {@code --name value} of the command line. */
public final class Arguments {
    private final Map<String, String> given = new HashMap<>();

    public Arguments(String[] words) {
        for (int i = 0; i < words.length; i += 2) {
            if (!words[i].startsWith("--") || i + 1 == words.length) {
                throw new IllegalArgumentException("--name value is expected, not " + words[i]);
            }
            given.put(words[i].substring(2), words[i + 1]);
        }
    }

    public String of(String name) {
        String value = given.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }
}
