using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Recovery;

/// <summary>What start-up found of one group.</summary>
public abstract record RecoveredGroup
{
    private RecoveredGroup(GroupId group, string name)
    {
        Group = group;
        Name = name;
    }

    public GroupId Group { get; }

    /// <summary>As given when the group was made; the folder's name where that is lost.</summary>
    public string Name { get; }

    /// <summary>The group starts.</summary>
    public sealed record Healthy : RecoveredGroup
    {
        internal Healthy(
            GroupId group, string name, RaftStart raft, string? loss, Checkpoint? checkpoint, GroupLog log, IEnumerable<ReadOnlyMemory<byte>> replay)
            : base(group, name)
        {
            Raft = raft;
            Loss = loss;
            Checkpoint = checkpoint;
            Log = log;
            Replay = replay;
        }

        /// <summary>What consensus begins with; entries above its commit are in the log's tail.</summary>
        public RaftStart Raft { get; }

        /// <summary>
        /// Not null: the journal lost something of the group, and this says what. It starts with what is left, and consensus takes care
        /// until it is healed (<see cref="RaftStart.Damage"/>).
        /// </summary>
        public string? Loss { get; }

        /// <summary>The state machine begins with this; null: with its empty state.</summary>
        public Checkpoint? Checkpoint { get; }

        public GroupLog Log { get; }

        /// <summary>
        /// The stored entries behind the checkpoint up to the commit index, to be applied once and in order, taking a segment's base where
        /// <see cref="GroupLog.NeedsBaseBefore"/> asks for it: the crash may have come before it was durable. Each is valid while held.
        /// Enumerating reads the disk and throws <see cref="Files.DamagedException"/> where a durable entry is not whole: then the group does
        /// not start either.
        /// </summary>
        public IEnumerable<ReadOnlyMemory<byte>> Replay { get; }
    }

    /// <summary>
    /// Durable bytes of the group are damaged here (promise DETECTED). It must not start on this replica; nothing of it was deleted.
    /// </summary>
    public sealed record Damaged : RecoveredGroup
    {
        internal Damaged(GroupId group, string name, string report)
            : base(group, name) => Report = report;

        /// <summary>What is wrong, as the end of a sentence that names the group; without a full stop.</summary>
        public string Report { get; }
    }
}
