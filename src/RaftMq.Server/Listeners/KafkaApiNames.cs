namespace RaftMq.Server.Listeners;

/// <summary>Names of Kafka's API keys, for labels only; the protocol itself is not known here.</summary>
internal static class KafkaApiNames
{
    private static readonly (int Key, string Name)[] Known =
    [
        (0, "produce"), (1, "fetch"), (2, "list_offsets"), (3, "metadata"), (8, "offset_commit"), (9, "offset_fetch"),
        (10, "find_coordinator"), (11, "join_group"), (12, "heartbeat"), (13, "leave_group"), (14, "sync_group"),
        (15, "describe_groups"), (16, "list_groups"), (18, "api_versions"), (19, "create_topics"), (20, "delete_topics"),
        (21, "delete_records"), (22, "init_producer_id"), (23, "offset_for_leader_epoch"), (32, "describe_configs"),
        (33, "alter_configs"), (37, "create_partitions"), (42, "delete_groups"), (44, "incremental_alter_configs"),
        (47, "offset_delete"), (60, "describe_cluster"),
    ];

    private static readonly int[] Indexes = BuildIndexes();

    /// <summary>The label values; the last one stands for every other key, so that a client can't make new labels.</summary>
    public static string[] All { get; } = [.. Known.Select(api => api.Name), "other"];

    public static int IndexOf(int apiKey) => (uint)apiKey < (uint)Indexes.Length ? Indexes[apiKey] : Known.Length;

    private static int[] BuildIndexes()
    {
        int[] indexes = new int[Known[^1].Key + 1];
        Array.Fill(indexes, Known.Length);
        for (int i = 0; i < Known.Length; i++)
        {
            indexes[Known[i].Key] = i;
        }

        return indexes;
    }
}
