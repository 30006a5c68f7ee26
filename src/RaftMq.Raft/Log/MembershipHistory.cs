namespace RaftMq.Raft;

/// <summary>The memberships in the log. The newest is in force from the moment it is appended, and goes when it is truncated (Raft 6).</summary>
internal sealed class MembershipHistory
{
    private readonly List<(LogIndex Index, Membership Membership)> _above;
    private Membership _atBase;
    private LogIndex _baseIndex;

    public MembershipHistory(
        LogIndex baseIndex, Membership atBase, IReadOnlyList<(LogIndex Index, Membership Membership)> above)
    {
        (_baseIndex, _atBase, _above) = (baseIndex, atBase, [.. above]);
        for (int i = 0; i < _above.Count; i++)
        {
            Invariant.Holds(_above[i].Index > (i == 0 ? baseIndex : _above[i - 1].Index));
        }
    }

    public Membership Newest => _above.Count > 0 ? _above[^1].Membership : _atBase;

    /// <summary>The index of the entry that brought <see cref="Newest"/>, or the base's.</summary>
    public LogIndex NewestIndex => _above.Count > 0 ? _above[^1].Index : _baseIndex;

    public void Append(LogIndex index, Membership membership)
    {
        Invariant.Holds(index > NewestIndex);
        _above.Add((index, membership));
    }

    public void TruncateFrom(LogIndex index)
    {
        while (_above.Count > 0 && _above[^1].Index >= index)
        {
            _above.RemoveAt(_above.Count - 1);
        }
    }

    public void CutTo(LogIndex index)
    {
        int gone = 0;
        while (gone < _above.Count && _above[gone].Index <= index)
        {
            _atBase = _above[gone].Membership;
            gone++;
        }

        _above.RemoveRange(0, gone);
        _baseIndex = index;
    }

    public void ResetTo(LogIndex index, Membership membership)
    {
        _above.Clear();
        (_baseIndex, _atBase) = (index, membership);
    }

    /// <summary>The membership that was in force at <paramref name="index"/> (a snapshot there carries it).</summary>
    public Membership At(LogIndex index)
    {
        for (int i = _above.Count - 1; i >= 0; i--)
        {
            if (_above[i].Index <= index)
            {
                return _above[i].Membership;
            }
        }

        return _atBase;
    }
}
