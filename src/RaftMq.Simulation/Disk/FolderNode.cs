namespace RaftMq.Simulation.Disk;

internal abstract class Node;

/// <summary>A change of a name that its folder was not synced for yet.</summary>
internal sealed record NameChange(string Name, Node? Adds, string? RemovesToo = null);

/// <summary>Names as the process sees them, as the disk has them, and the changes in between, in order.</summary>
internal sealed class FolderNode : Node
{
    public SortedDictionary<string, Node> Names { get; private set; } = new(StringComparer.Ordinal);

    private SortedDictionary<string, Node> _durable = new(StringComparer.Ordinal);
    private readonly List<NameChange> _changes = [];
    private bool _lostSome;

    public IReadOnlyDictionary<string, Node> Durable => _durable;

    public int UnsyncedCount => _changes.Count;

    public void Add(string name, Node node)
    {
        Names.Add(name, node);
        _changes.Add(new NameChange(name, node));
    }

    public void Remove(string name)
    {
        Names.Remove(name);
        _changes.Add(new NameChange(name, Adds: null));
    }

    /// <summary>Inside one folder a rename is one change, kept or lost whole.</summary>
    public void Rename(string from, string to)
    {
        Node node = Names[from];
        Names.Remove(from);
        Names[to] = node;
        _changes.Add(new NameChange(to, node, from));
    }

    public void Replace(string name, Node node)
    {
        Names[name] = node;
        _changes.Add(new NameChange(name, node));
    }

    /// <summary>As if the name had never been there.</summary>
    public void Lose(string name)
    {
        Names.Remove(name);
        _durable.Remove(name);
        _changes.RemoveAll(change => change.Name == name);
        _lostSome = true;
    }

    public void Sync()
    {
        if (_lostSome)
        {
            // With the changes of a lost name went what else they did.
            _durable = new(Names, StringComparer.Ordinal);
            _lostSome = false;
        }
        else
        {
            foreach (NameChange change in _changes)
            {
                Apply(change);
            }
        }

        _changes.Clear();
    }

    public void PowerCut(string path, Func<UnsyncedPart, bool> keeps)
    {
        for (int number = 0; number < _changes.Count; number++)
        {
            NameChange change = _changes[number];
            if (!keeps(new UnsyncedPart(UnsyncedKind.Name, SimulatedDisk.Join(path, change.Name), number)))
            {
                continue;
            }

            if (change.RemovesToo is not null)
            {
                // Also when the rename before this one was lost: no file system gives one file two names for it.
                foreach (string name in _durable.Where(entry => ReferenceEquals(entry.Value, change.Adds)).Select(entry => entry.Key).ToArray())
                {
                    _durable.Remove(name);
                }
            }

            Apply(change with { RemovesToo = null });
        }

        _changes.Clear();
        Names = new(_durable, StringComparer.Ordinal);
    }

    public void ListUnsynced(string path, List<UnsyncedPart> into)
    {
        for (int number = 0; number < _changes.Count; number++)
        {
            into.Add(new UnsyncedPart(UnsyncedKind.Name, SimulatedDisk.Join(path, _changes[number].Name), number));
        }
    }

    public FolderNode Clone(Dictionary<Node, Node> clones)
    {
        FolderNode clone = new() { _lostSome = _lostSome };
        clones.Add(this, clone);
        CloneNames(Names, clone.Names, clones);
        CloneNames(_durable, clone._durable, clones);
        foreach (NameChange change in _changes)
        {
            clone._changes.Add(change with { Adds = change.Adds is null ? null : CloneNode(change.Adds, clones) });
        }

        return clone;
    }

    private void Apply(NameChange change)
    {
        if (change.RemovesToo is { } former)
        {
            _durable.Remove(former);
        }

        if (change.Adds is null)
        {
            _durable.Remove(change.Name);
        }
        else
        {
            _durable[change.Name] = change.Adds;
        }
    }

    private static void CloneNames(
        SortedDictionary<string, Node> from, SortedDictionary<string, Node> to, Dictionary<Node, Node> clones)
    {
        foreach ((string name, Node node) in from)
        {
            to.Add(name, CloneNode(node, clones));
        }
    }

    private static Node CloneNode(Node node, Dictionary<Node, Node> clones)
    {
        if (clones.TryGetValue(node, out Node? known))
        {
            return known;
        }

        if (node is FolderNode folder)
        {
            return folder.Clone(clones);
        }

        FileNode file = ((FileNode)node).Clone();
        clones.Add(node, file);
        return file;
    }
}
