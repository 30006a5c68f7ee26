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
internal sealed class StateRebuild(Replica replica, ISecondState state, int pieceBytes = StateRebuild.PieceBytes) : ILogReadWaiter, ICheckpointWaiter
{
    private const int PieceBytes = 256 << 10;

    /// <summary>Of what is in memory, in one turn: all else in this section waits for it.</summary>
    private const int PiecesAtOnce = 4;

    private LogIndex _applied;

    /// <summary>The disk will say how it goes on.</summary>
    private bool _isAtDisk;

    public bool IsOver { get; private set; }

    /// <summary>Begins, and goes on where a turn's share was done. Called again and again.</summary>
    public void GoOn()
    {
        for (int piece = 0; piece < PiecesAtOnce && !IsOver && !_isAtDisk; piece++)
        {
            Next();
        }
    }

    /// <summary>The replica is closed, or something else took the place of its state.</summary>
    public void Abandon() => IsOver = true;

    void ILogReadWaiter.ReadDone(LogRead read)
    {
        _isAtDisk = false;
        Apply(read);
        GoOn();
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

    private void Next()
    {
        if (_applied == replica.Applied)
        {
            state.TakeOver();
            replica.Log.DoubtBases();
            _isAtDisk = true;
            IsOver = !replica.WriteCheckpoint(this);
            return;
        }

        LogRead read = replica.Log.ReadForFollower(_applied.Next, replica.Applied, pieceBytes, this);
        if (read.Status == LogReadStatus.Pending)
        {
            _isAtDisk = true;
        }
        else
        {
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
