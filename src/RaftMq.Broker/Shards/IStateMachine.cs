using RaftMq.Broker.Encoding;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Shards;

/// <summary>
/// What a group's log means. <see cref="Apply"/> is the replicated part: deterministic, without I/O, the same on every replica. The
/// rest is the leader's: volatile, and dropped when leadership ends.
/// </summary>
internal interface IStateMachine
{
    /// <summary>Called for every committed entry in order, consensus' own (no-op, membership) included. Cannot fail.</summary>
    void Apply(in EntryHeader header, ReadOnlySpan<byte> payload);

    /// <summary>The replicated state after the last applied entry, with a version of its own.</summary>
    void WriteSnapshot(ByteWriter writer);

    /// <summary>Replaces the state. False when the bytes are not of a version this node reads.</summary>
    bool TryReadSnapshot(ReadOnlySpan<byte> bytes);

    /// <summary>
    /// This replica leads and its own no-op is applied: from now on it may propose what depends on state (design section 5).
    /// </summary>
    void StartServing();

    /// <summary>Leadership ended: forget what is not replicated, answer what need not wait for the next leader.</summary>
    void StopServing();

    /// <summary>Another replica is known to lead now, or this one leaves the node: what waits for a leader has to go elsewhere.</summary>
    void LeaderIsElsewhere();

    /// <summary>The last call of a turn in which entries were applied, or a follower's durable position moved.</summary>
    void AfterProgress();

    /// <summary>
    /// Whether time alone brings work: then <see cref="Tick"/> is called while the group is quiet, and on a replica that does not serve, too.
    /// When it becomes true while nothing else happens to the replica, <see cref="IReplica.WantTicks"/> says so.
    /// </summary>
    bool TicksWhileQuiet { get; }

    /// <summary>About every 10 ms while <see cref="TicksWhileQuiet"/>, and while this replica serves and the group is not quiet.</summary>
    void Tick();
}

/// <summary>A state machine whose group keeps its whole log: its state can be made again on this node alone (decision 0016).</summary>
internal interface IRebuildable
{
    /// <summary>A state from before the first entry, beside the one in use.</summary>
    ISecondState BeginAgain();
}

/// <summary>See <see cref="IRebuildable.BeginAgain"/>.</summary>
internal interface ISecondState
{
    /// <summary>As <see cref="IStateMachine.Apply"/>; nobody hears of it.</summary>
    void Apply(in EntryHeader header, ReadOnlySpan<byte> payload);

    /// <summary>Takes the place of the state in use, which contains the same entries. Once, and the last call.</summary>
    void TakeOver();
}

/// <summary>What a state machine's leader part asks of its replica.</summary>
internal interface IReplica
{
    GroupId Group { get; }

    bool IsServing { get; }

    bool IsLeader { get; }

    /// <summary>Another replica is known to lead. False on both sides of an election, until its winner is known here.</summary>
    bool IsLeaderElsewhere { get; }

    Term Term { get; }

    /// <summary>The last applied entry.</summary>
    LogIndex Applied { get; }

    GroupLog Log { get; }

    /// <summary>The newest entry that at least so many voters have durable, this one included; zero when there are fewer voters.</summary>
    LogIndex DurableOn(int voters);

    /// <summary>Voters within replica.lag.max, this one included.</summary>
    int InSyncCount { get; }

    /// <summary>
    /// As many voters at least hold what is committed: a majority; while the membership is joint, one of the smaller half, as an entry from
    /// before the change was committed by the old half alone.
    /// </summary>
    int HoldersOfCommitted { get; }

    /// <summary>False while the node's journal or its tails are full: what can wait, waits. Everything else is written all the same.</summary>
    bool StoreHasRoom { get; }

    /// <summary>Why this leader takes no records for want of room on disks; null when it does.</summary>
    string? NoRoomBecause { get; }

    /// <summary>Whether an entry of that size may be proposed now; if so it must be, at once, through <see cref="Propose"/>.</summary>
    ProposeResult Admit(int sizeBytes);

    /// <summary>The entry lies at the end of the log's tail.</summary>
    void Propose(in Entry entry);

    /// <summary><see cref="IStateMachine.TicksWhileQuiet"/> is true now.</summary>
    void WantTicks();

    /// <summary>Asks for a confirmed read (dissertation 6.4). The callback comes inside the section, never from inside this call.</summary>
    void ConfirmLeader(IConfirmation confirmation);
}

internal interface IConfirmation
{
    /// <summary>A quorum has confirmed this leader since the call, and everything committed then is applied.</summary>
    void Confirmed();

    void Refused();
}
