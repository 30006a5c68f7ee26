using RaftMq.Broker.Environment;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Hosting;

public sealed class NodeEventLogTests
{
    [Fact]
    public void Event_is_a_line_for_people_and_facts_by_name_for_programs()
    {
        var state = new NodeEventState(new NodeEvent(
            NodeEventKind.DiskFull, "The disk has no room.", [("replicas", 3), ("folder", "a")]));

        Assert.Equal("DiskFull: The disk has no room.", state.ToString());
        Assert.Equal(
            [new("event", "DiskFull"), new("replicas", 3), new("folder", "a")], state.ToArray<KeyValuePair<string, object?>>());
        Assert.Equal(3, state.Count);
    }

    [Fact]
    public void Page_has_every_event_with_its_number_and_level() => DocumentTable.CheckStarts(
        "operations.md", "events",
        Enum.GetValues<NodeEventKind>().Select(kind => $"| {(int)kind} | {kind} | {new NodeEvent(kind, "", []).Level.ToString().ToLowerInvariant()} | "));
}
