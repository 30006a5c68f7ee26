using RaftMq.Raft;

namespace RaftMq.Storage.Repair;

/// <summary>What a repair wants next of another replica.</summary>
public abstract record RepairWish
{
    private RepairWish() { }

    /// <summary>These entries, or the first of them.</summary>
    public sealed record Entries(LogIndex From, LogIndex To) : RepairWish;

    /// <summary>A base checkpoint from a position on.</summary>
    public sealed record Base(LogIndex Index, long Position) : RepairWish;
}
