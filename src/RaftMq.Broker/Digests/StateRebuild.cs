using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Digests;

/// <summary>
/// Makes a fenced replica's state anew out of its own log, which is whole and has all entries from the first one on. Its life:
/// 1. the entries are read and applied to a second state beside the one in use;
/// 2. that takes the place of the one in use at the moment at which both contain the same entries: a node that looks at the state never sees an older one;
/// 3. what the disk holds of the other one goes: the newest checkpoint is written anew, bases are dropped and come from other replicas;
/// 4. once that is durable, so that no start brings the other one back, the replica is told (<see cref="Replica.Rebuilt"/>).
/// What can't be read or written ends it; the fenced replica begins another one.
/// </summary>
internal sealed class StateRebuild(Replica replica, ISecondState state) : ILogReadWaiter, ICheckpointWaiter
{
    private const int PieceBytes = 256 << 10;

    private LogIndex _applied;

    public bool IsOver { get; private set; }

    public void Begin() => Read();

    /// <summary>The replica is closed, or something else took the place of its state.</summary>
    public void Abandon() => IsOver = true;

    void ILogReadWaiter.ReadDone(LogRead read)
    {
        Apply(read);
        Read();
    }

    void ICheckpointWaiter.CheckpointWritten(CheckpointHead head)
    {
        if (!IsOver)
        {
            IsOver = true;
            replica.Rebuilt();
        }
    }

    void ICheckpointWaiter.CheckpointDropped(CheckpointHead head) => IsOver = true;

    private void Read()
    {
        while (!IsOver)
        {
            if (_applied == replica.Applied)
            {
                state.TakeOver();
                replica.Log.DoubtBases();
                IsOver = !replica.WriteCheckpoint(this);
                return;
            }

            LogRead read = replica.Log.ReadForFollower(_applied.Next, replica.Applied, PieceBytes, this);
            if (read.Status == LogReadStatus.Pending)
            {
                return;
            }

            Apply(read);
        }
    }

    private void Apply(LogRead read)
    {
        if (IsOver || read.Status != LogReadStatus.Done || read.Entries.Count == 0)
        {
            IsOver = true;
            return;
        }

        foreach (Entry entry in read.Entries)
        {
            Invariant.Holds(entry.Index == _applied.Next);
            _applied = entry.Index;
            state.Apply(EntryLayout.ReadUnchecked(entry.Bytes.Span), entry.Bytes.Span[EntryLayout.HeaderBytes..]);
        }
    }
}
