namespace RaftMq.Server.Peers;

/// <summary>
/// The addresses at which one node may be: one of each source, as each is wrong at times. A node that was moved is still recorded at its
/// old address until it registers at a controller, and a cluster of which every node was moved has no controller before they find each
/// other. What answered or was learnt last is tried first. Thread-safe.
/// </summary>
internal sealed class PeerAddresses
{
    private readonly Lock _lock = new();

    /// <summary>At most one of each source, in the order in which they are tried.</summary>
    private readonly List<PeerAddress> _known = [];
    private int _turn;

    public PeerAddresses(PeerAddress first)
    {
        _known.Add(first);
    }

    /// <summary>Whose turn it is.</summary>
    public PeerAddress Current
    {
        get
        {
            lock (_lock)
            {
                return _known[_turn];
            }
        }
    }

    /// <summary>News is tried first; what its source said before changes nothing.</summary>
    /// <returns>Whether it is news.</returns>
    public bool Learn(PeerAddress address)
    {
        lock (_lock)
        {
            if (_known.Contains(address))
            {
                return false;
            }

            _known.RemoveAll(known => known.Source == address.Source);
            _known.Insert(0, address);
            _turn = 0;
            return true;
        }
    }

    /// <summary>The node is there.</summary>
    public void Answered(PeerAddress address)
    {
        lock (_lock)
        {
            _turn = 0;
            if (_known.Remove(address))
            {
                _known.Insert(0, address);
            }
        }
    }

    /// <summary>The node was not found at <paramref name="address"/>: the next one's turn.</summary>
    /// <returns>False when all of them were tried; then it begins anew.</returns>
    public bool TryNext(PeerAddress address)
    {
        lock (_lock)
        {
            if (_known[_turn] != address)
            {
                // News came while it was dialled.
                return true;
            }

            do
            {
                _turn++;
            }
            while (_turn < _known.Count && _known.Take(_turn).Any(tried => SamePlace(tried, _known[_turn])));

            if (_turn < _known.Count)
            {
                return true;
            }

            _turn = 0;
            return false;
        }
    }

    private static bool SamePlace(PeerAddress one, PeerAddress other) =>
        one.Where.Port == other.Where.Port && string.Equals(one.Where.Host, other.Where.Host, StringComparison.OrdinalIgnoreCase);
}
