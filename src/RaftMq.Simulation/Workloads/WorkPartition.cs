using RaftMq.Raft;

namespace RaftMq.Simulation.Workloads;

/// <summary>A partition as the clients know it.</summary>
internal sealed class WorkPartition(string topic, UInt128 topicId, int number, GroupId group)
{
    public string Topic => topic;

    public UInt128 TopicId => topicId;

    public int Number => number;

    public GroupId Group => group;

    public string Name => $"{topic}/{number}";

    /// <summary>Its topic is being deleted; clients turn away.</summary>
    public bool IsDeleted { get; set; }

    /// <summary>Batches above the smallest limit that was ever asked for may be refused.</summary>
    public int MessageBytesMin { get; set; } = int.MaxValue;

    /// <summary>The end of what a client was told to be stored.</summary>
    public long KnownEnd { get; set; }
}
