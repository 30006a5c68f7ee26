using RaftMq.Kafka.Wire;

namespace RaftMq.Cli.Brokers;

/// <summary>What a broker's answer to a send means, for people.</summary>
internal static class ErrorWords
{
    /// <summary>Part of a sentence, with the protocol's own name at its end.</summary>
    /// <param name="message">What the broker said itself; null or empty where it said nothing.</param>
    public static string Of(KafkaError error, string? message)
    {
        string name = KafkaErrors.Name(error);
        string words = string.IsNullOrEmpty(message) ? Known(error) : message.TrimEnd('.');
        return words.Length == 0 ? name : $"{words} ({name})";
    }

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
