using System.Globalization;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Leadership;

/// <summary>
/// Tells the operator what this node began and ceased to lead: by name while it is little, as a number when a node comes or goes with
/// a thousand groups. Collected over one look, about a second.
/// </summary>
internal sealed class LeadershipLog(Action<NodeEvent> report)
{
    /// <summary>Groups named in one line.</summary>
    private const int NamesMax = 5;

    /// <summary>What was reported last of each group that is led here.</summary>
    private readonly SortedDictionary<GroupId, (GroupName Name, int Term)> _reported = [];

    /// <summary>All that this node leads now.</summary>
    public void Look(IEnumerable<Replica> replicas)
    {
        List<string>? begun = null;
        int led = 0;
        foreach (Replica replica in replicas)
        {
            if (!replica.IsLeader)
            {
                continue;
            }

            led++;
            int term = replica.Term.Value;
            if (!_reported.TryGetValue(replica.Group, out (GroupName Name, int Term) before) || before.Term != term)
            {
                _reported[replica.Group] = (replica.Name, term);
                (begun ??= []).Add(string.Create(CultureInfo.InvariantCulture, $"{replica.Name} (term {term})"));
            }
        }

        if (begun is not null)
        {
            report(new NodeEvent(
                NodeEventKind.LeadershipBegan, $"Leads {Named(begun)}; {Groups(led)} in all.",
                [("groups", begun), ("count", begun.Count), ("led", led)]));
        }

        if (_reported.Count > led)
        {
            ReportEnded(replicas, led);
        }
    }

    private void ReportEnded(IEnumerable<Replica> replicas, int led)
    {
        var stillLed = new SortedSet<GroupId>(replicas.Where(static replica => replica.IsLeader).Select(static replica => replica.Group));
        List<string> ended = [];
        foreach ((GroupId group, (GroupName name, _)) in _reported.ToArray())
        {
            if (!stillLed.Contains(group))
            {
                _reported.Remove(group);
                ended.Add(name.ToString()!);
            }
        }

        report(new NodeEvent(
            NodeEventKind.LeadershipEnded, $"Leads no longer {Named(ended)}; {Groups(led)} in all.",
            [("groups", ended), ("count", ended.Count), ("led", led)]));
    }

    private static string Named(List<string> names) => names.Count <= NamesMax
        ? string.Join(", ", names)
        : string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", names.Take(NamesMax))} and {names.Count - NamesMax} more");

    private static string Groups(int count) => count == 1 ? "1 group" : string.Create(CultureInfo.InvariantCulture, $"{count} groups");
}
