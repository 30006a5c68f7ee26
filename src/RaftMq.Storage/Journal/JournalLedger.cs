using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>All groups that the journal's files name, with what each still needs. Moves only when a batch is durable.</summary>
internal sealed class JournalLedger
{
    private readonly Dictionary<GroupId, GroupLedger> _byId = [];

    /// <summary>In the order in which the groups came, since a dictionary's order must not reach a file.</summary>
    private List<GroupLedger> _inOrder = [];

    /// <summary>Journal files below this number are all that is left of something that was lost; 0: none is.</summary>
    public long KeptBelowFile
    {
        get
        {
            long below = 0;
            foreach (GroupLedger group in _inOrder)
            {
                below = group.Deleted ? below : Math.Max(below, group.Damage?.KeptBelowFile ?? 0);
            }

            return below;
        }
    }

    public IReadOnlyList<GroupLedger> Groups => _inOrder;

    public GroupLedger GetOrAdd(GroupId group)
    {
        if (!_byId.TryGetValue(group, out GroupLedger? ledger))
        {
            ledger = new GroupLedger(group);
            _byId.Add(group, ledger);
            _inOrder.Add(ledger);
        }

        return ledger;
    }

    public GroupLedger? Find(GroupId group) => _byId.GetValueOrDefault(group);

    /// <summary>Adds the rows that open a file. Returns their bytes.</summary>
    public int AddStates(List<BatchRow> into, bool opensGeneration = false)
    {
        int bytes = 0;
        foreach (GroupLedger group in _inOrder)
        {
            if (group.IsKnown)
            {
                BatchRow row = group.State(opensGeneration);
                into.Add(row);
                bytes += row.Bytes;
            }
        }

        return bytes;
    }

    /// <summary>A file repeats the state of all groups: it names them all.</summary>
    public void NamedBy(JournalFile file)
    {
        foreach (GroupLedger group in _inOrder)
        {
            if (group.IsKnown)
            {
                group.NewestFile = file;
            }
        }
    }

    /// <summary>Deleted groups that no file names any more need not be remembered.</summary>
    public void Recycled(JournalFile file)
    {
        bool forgot = false;
        foreach (GroupLedger group in _inOrder)
        {
            if (group.Deleted && group.NewestFile is { } newest && newest.Number <= file.Number)
            {
                _byId.Remove(group.Group);
                forgot = true;
            }
        }

        if (forgot)
        {
            _inOrder = _inOrder.FindAll(group => _byId.ContainsKey(group.Group));
        }
    }
}
