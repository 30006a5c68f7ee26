using RaftMq.Raft;

namespace RaftMq.Broker.Digests;

/// <summary>
/// After which entries one replica digests its state, and the newest digests. The entries are the same on every replica: each one whose index the distance
/// divides. A large state is digested less often, at each doubling beyond a mebibyte half as often, so that it costs no more per entry; replicas of which
/// one sees the size pass that mark later meet again at the next common multiple.
/// </summary>
internal sealed class DigestPoints(int distanceEntries)
{
    /// <summary>An answer of the leader is about one of these, or comes too late.</summary>
    public const int Remembered = 8;

    private const int BytesPerDistance = 1 << 20;

    private readonly Queue<StateDigest> _newest = new(Remembered);
    private int _doublings;

    public bool IsDue(LogIndex applied) => applied.Value % ((long)distanceEntries << _doublings) == 0;

    public StateDigest Take(LogIndex applied, ReadOnlySpan<byte> state)
    {
        _doublings = 0;
        for (long bytes = state.Length; bytes > BytesPerDistance; bytes /= 2)
        {
            _doublings++;
        }

        if (_newest.Count == Remembered)
        {
            _newest.Dequeue();
        }

        var digest = StateDigest.Of(applied, state);
        _newest.Enqueue(digest);
        return digest;
    }

    public StateDigest? At(LogIndex index)
    {
        foreach (StateDigest digest in _newest)
        {
            if (digest.Index == index)
            {
                return digest;
            }
        }

        return null;
    }

    /// <summary>The state is another one now.</summary>
    public void Clear() => _newest.Clear();
}
