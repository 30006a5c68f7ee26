using RaftMq.Kafka.Wire;

namespace RaftMq.Cli.Brokers;

/// <summary>What a broker's answer to a send means, for people.</summary>
internal static class ErrorWords
{
    /// <summary>As every broker has it.</summary>
    private const int TopicCharsMax = 249;

    /// <summary>Part of a sentence, with the protocol's own name at its end.</summary>
    /// <param name="message">What the broker said itself; null or empty where it said nothing.</param>
    public static string Of(KafkaError error, string? message)
    {
        string name = KafkaErrors.Name(error);
        string words = string.IsNullOrEmpty(message) ? Known(error) : message.TrimEnd('.');
        return words.Length == 0 ? name : $"{words} ({name})";
    }

    /// <summary>Why no topic can have this name.</summary>
    /// <param name="message">What the broker said; counts where the name is one that a topic can have, as one of the broker's own.</param>
    public static string OfName(string topic, string? message) => Of(
        KafkaError.InvalidTopic,
        topic.Length is > 0 and <= TopicCharsMax && topic is not ("." or "..")
        && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? message
            : $"'{topic}' is no topic name: that has 1 to {TopicCharsMax} letters of a to z, digits, '.', '_' or '-', and is not '.' or '..'");

    private static string Known(KafkaError error) => error switch
    {
        KafkaError.NotEnoughReplicas or KafkaError.NotEnoughReplicasAfterAppend =>
            "fewer replicas are in sync than the topic's min.insync.replicas asks for; raftmq topic describe shows which",
        KafkaError.RequestTimedOut => "its replicas did not store it in time",
        KafkaError.LeaderNotAvailable => "it has no leader; raftmq cluster status says what is wrong",
        KafkaError.NotLeaderOrFollower => "its leader changes",
        KafkaError.KafkaStorageError => "its leader can't write, the disk is full or damaged; raftmq cluster status says which",
        KafkaError.UnknownTopicOrPartition => "there is no such topic or partition",
        _ => "",
    };
}
