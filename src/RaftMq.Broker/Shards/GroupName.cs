namespace RaftMq.Broker.Shards;

/// <summary>What a group is, by the name that the store keeps for it.</summary>
internal abstract record GroupName
{
    private const string ControllerName = "controller";

    private GroupName() { }

    public sealed record Controller : GroupName
    {
        public override string ToString() => ControllerName;
    }

    /// <summary>A partition of a topic, the offsets topic's included.</summary>
    public sealed record Partition(string Topic, int Number) : GroupName
    {
        public override string ToString() => $"{Topic}-{Number}";
    }

    /// <summary>Null when the name is none that this version gives.</summary>
    public static GroupName? TryParse(string name)
    {
        if (name == ControllerName)
        {
            return new Controller();
        }

        int dash = name.LastIndexOf('-');
        return dash > 0 && int.TryParse(name.AsSpan(dash + 1), out int number) && number >= 0
            ? new Partition(name[..dash], number)
            : null;
    }
}
