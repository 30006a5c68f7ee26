namespace RaftMq.Raft;

/// <summary>The number an operator gave a node. Stable for the life of the node; never reused while its replicas are members.</summary>
public readonly record struct NodeId(int Value) : IComparable<NodeId>
{
    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    public override string ToString() => $"n{Value}";
}

/// <summary>Random, written when a data folder is formatted. An emptied volume comes back with another one and is then not that voter.</summary>
public readonly record struct StoreId(UInt128 Value)
{
    public override string ToString() => Value.ToString("x32");
}

/// <summary>A replica's identity as a voter: the node and the data folder it votes with (design: "a voter is (node id, store id)").</summary>
public readonly record struct ReplicaId(NodeId Node, StoreId Store) : IComparable<ReplicaId>
{
    /// <summary>By node, then by store: the order of the lists of a membership.</summary>
    public int CompareTo(ReplicaId other)
    {
        int byNode = Node.CompareTo(other.Node);
        return byNode != 0 ? byNode : Store.Value.CompareTo(other.Store.Value);
    }

    public override string ToString() => Node.ToString();
}

/// <summary>Grows with each start of a node. A new boot number voids all earlier acks of that node.</summary>
public readonly record struct BootNumber(long Value)
{
    public override string ToString() => $"b{Value}";
}

/// <summary>The 128-bit incarnation of a Raft group: a deleted and re-created partition never meets its old records .</summary>
public readonly record struct GroupId(UInt128 Value) : IComparable<GroupId>
{
    public int CompareTo(GroupId other) => Value.CompareTo(other.Value);

    /// <summary>
    /// As a node's store knows its own replica of the group. A replica that leaves a node and comes back is another one there: what the
    /// store still knows of the former, above all that it was deleted, says nothing of it. The lives of a group differ in the upper 32 bits;
    /// the same life again gives the group.
    /// </summary>
    public GroupId WithLife(int life) => new(Value ^ ((UInt128)(uint)life << 96));

    /// <summary>The same group, or another life of it: entries, which all replicas share, name the group itself.</summary>
    public bool IsLifeOf(GroupId other) => (Value ^ other.Value) << 32 == UInt128.Zero;

    public override string ToString() => Value.ToString("x32");
}

/// <summary>A Raft term (Raft 5.1). It is also Kafka's leader epoch, hence 32 bits: a term above <see cref="int.MaxValue"/> is refused.</summary>
public readonly record struct Term(int Value) : IComparable<Term>
{
    public static readonly Term Zero;

    /// <summary>The last term there can be; a replica in it does not campaign any more.</summary>
    public static readonly Term Last = new(int.MaxValue);

    public Term Next => new(checked(Value + 1));

    public int CompareTo(Term other) => Value.CompareTo(other.Value);

    public static bool operator <(Term left, Term right) => left.Value < right.Value;

    public static bool operator >(Term left, Term right) => left.Value > right.Value;

    public static bool operator <=(Term left, Term right) => left.Value <= right.Value;

    public static bool operator >=(Term left, Term right) => left.Value >= right.Value;

    public override string ToString() => $"t{Value}";
}

/// <summary>A position in a group's Raft log. It counts entries, not records; the first entry has index 1, zero is "before the log".</summary>
public readonly record struct LogIndex(long Value) : IComparable<LogIndex>
{
    public static readonly LogIndex Zero;

    public LogIndex Next => new(Value + 1);

    public LogIndex Previous => new(Value - 1);

    public int CompareTo(LogIndex other) => Value.CompareTo(other.Value);

    public static LogIndex Min(LogIndex left, LogIndex right) => left < right ? left : right;

    public static LogIndex Max(LogIndex left, LogIndex right) => left > right ? left : right;

    public static LogIndex operator +(LogIndex index, long count) => new(index.Value + count);

    public static LogIndex operator -(LogIndex index, long count) => new(index.Value - count);

    /// <summary>The number of entries between two positions.</summary>
    public static long operator -(LogIndex left, LogIndex right) => left.Value - right.Value;

    public static bool operator <(LogIndex left, LogIndex right) => left.Value < right.Value;

    public static bool operator >(LogIndex left, LogIndex right) => left.Value > right.Value;

    public static bool operator <=(LogIndex left, LogIndex right) => left.Value <= right.Value;

    public static bool operator >=(LogIndex left, LogIndex right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString();
}
