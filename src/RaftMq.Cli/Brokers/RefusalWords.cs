using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire;

namespace RaftMq.Cli.Brokers;

/// <summary>What <c>produce</c> says of lines that are not stored, and of those that are.</summary>
internal static class RefusalWords
{
    /// <summary>The setting of a topic.</summary>
    public const string LargestBatch = "max.message.bytes";

    /// <summary>What became of the lines that were read.</summary>
    /// <param name="underWay">Records that were sent and may be stored without an acknowledgement.</param>
    public static string Told(long read, long acknowledged, int underWay)
    {
        long open = read - acknowledged;
        string unknown = underWay > 0 ? $" ({underWay} of them may be stored all the same)" : "";
        return $"{Counted.Of(acknowledged, "record")} {Counted.Be(acknowledged)} acknowledged, "
            + $"{open} that {(open == 1 ? "was" : "were")} read {Counted.Be(open)} not{unknown}.";
    }

    /// <summary>A line that is too long to be read.</summary>
    public static string TooLong(string topic, int? topicBatchBytesMax, int lineBytesMax) => topicBatchBytesMax is { } most
        ? $"is too long: with more than {most} bytes it does not fit the largest batch that {topic} takes ({LargestBatch})"
        : $"is too long: no record has more than {lineBytesMax} bytes";

    /// <summary>A line whose batch is too large.</summary>
    public static string TooLarge(string topic, int batchBytes, int? topicBatchBytesMax) =>
        $"is too long: its batch of {batchBytes} bytes is larger than {topic} takes, which is {topicBatchBytesMax} ({LargestBatch})";

    /// <summary>What the leader said of a batch, and what that leaves open.</summary>
    public static string Refused(string where, PartitionBatch batch, SendAnswer answer, int? topicBatchBytesMax)
    {
        string why = answer.Why;
        if (answer.Error == KafkaError.MessageTooLarge)
        {
            string most = topicBatchBytesMax is { } bytes ? $"; the topic says {bytes}" : "";
            why = $"its batch of {batch.SizeBytes} bytes is larger than the leader takes ({KafkaErrors.Name(answer.Error)}): "
                + $"{LargestBatch} of the topic, or limits.record.batch.bytes of the leader's node{most}";
        }

        string lines = batch.Count == 1 ? "" : $", or another one of its batch of {batch.Count},";
        string open = answer.MayBeStored
            ? $"; a try before that ended without an answer, so {(batch.Count == 1 ? "it" : "all of them")} may be stored all the same"
            : "";
        return $"{lines} was refused by {where}: {why}{open}";
    }

    public static string NotSent(long line, string why, string hint) => $"Line {line} {why}. {Before(line)}it and what follows were not sent{hint}.";

    /// <param name="after">How many lines behind it are acknowledged.</param>
    public static string NotStored(long line, string why, long after)
    {
        string elsewhere = after > 0 ? $"{Counted.Of(after, "line")} after it, to other partitions, {Counted.Be(after)} as well; " : "";
        return $"Line {line}{why}. {Before(line)}{elsewhere}it and {(after > 0 ? "the rest" : "what follows")} are not.";
    }

    /// <summary>Where those before it were not acknowledged in time.</summary>
    public static string NotStored(long line, string why, string late) =>
        $"Line {line}{why}. What was before it was still to be acknowledged: {late}";

    private static string Before(long line) => line switch
    {
        1 => "Nothing was before it; ",
        2 => "The line before it is acknowledged; ",
        _ => $"The {line - 1} lines before it are acknowledged; ",
    };
}
