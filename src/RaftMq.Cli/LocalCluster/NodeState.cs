using System.Globalization;

namespace RaftMq.Cli.LocalCluster;

internal enum NodePhase
{
    Starting,
    Ready,
    Down,
}

/// <summary>What is known of a node, for its live line.</summary>
/// <param name="Process">Id of its process; null while it is down.</param>
internal sealed record NodeState(
    int Node, NodePhase Phase, int? Process, bool Controller, int Leading, int Following, int Damaged, double RecordsPerSecond)
{
    /// <summary>What the node is, without what moves all the time: a plain line is printed when this changes.</summary>
    public string Roles()
    {
        string roles = Phase == NodePhase.Ready
            ? string.Create(CultureInfo.InvariantCulture, $"leads {Leading}, follows {Following}{(Controller ? ", controller" : "")}")
            : "";
        string damage = Damaged > 0 ? string.Create(CultureInfo.InvariantCulture, $", {Damaged} damaged") : "";
        return string.Create(CultureInfo.InvariantCulture, $"node {Node}  {Phase.ToString().ToLowerInvariant(),-8}  {roles}{damage}");
    }

    /// <summary>The line of a screen that is drawn again every second.</summary>
    public string LiveLine() => Phase == NodePhase.Ready
        ? string.Create(CultureInfo.InvariantCulture, $"{Roles(),-50}  {RecordsPerSecond,12:N0} messages/s  process {Process}")
        : Roles();

    /// <summary>The line that stands: without what would soon be wrong.</summary>
    public string Line() => Phase == NodePhase.Ready
        ? string.Create(CultureInfo.InvariantCulture, $"{Roles(),-50}  process {Process}")
        : Roles();
}
