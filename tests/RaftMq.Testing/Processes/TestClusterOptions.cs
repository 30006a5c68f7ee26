namespace RaftMq.Testing.Processes;

/// <summary>How a cluster of node processes is made for a test.</summary>
public sealed record TestClusterOptions
{
    public int Nodes { get; init; } = 3;

    /// <summary>Settings that all nodes get on their command line besides the addresses.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings that one node gets besides, by its id.</summary>
    public Func<int, IReadOnlyDictionary<string, string>> NodeSettings { get; init; } = static _ => new Dictionary<string, string>();

    /// <summary>Variables of all nodes' environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// What stands in front of a node's own command line, by the node's folder: a tracer. It must leave the node the process that was
    /// started. Null: nothing.
    /// </summary>
    public Func<string, IReadOnlyList<string>>? Launcher { get; init; }

    /// <summary>Whether each node has a second listener, kafkas (TLS), on localhost. Its certificate is among the settings.</summary>
    public bool Tls { get; init; }

    /// <summary>From the start of the processes to ready, all of them. Most of it is for machines that are busy with other tests.</summary>
    public TimeSpan ReadyWithin { get; init; } = TimeSpan.FromSeconds(60);
}
