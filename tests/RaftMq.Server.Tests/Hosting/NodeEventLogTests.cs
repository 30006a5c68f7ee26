using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Server.Hosting;
using RaftMq.Server.Telemetry;

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
    public void Fact_that_is_several_things_is_a_list_in_the_document()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddLogging(logging => logging.AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>(console => console.TimestampFormat = "yyyy"))
            .BuildServiceProvider();
        ConsoleFormatter formatter = services.GetServices<ConsoleFormatter>().Single(formatter => formatter.Name == JsonLogFormatter.FormatterName);
        var state = new NodeEventState(new NodeEvent(
            NodeEventKind.LeadershipBegan, "Leads \"a\",\nb.",
            [("groups", ImmutableArray.Create("a, with a comma", "b")), ("numbers", new[] { 1, 2 }), ("none", Array.Empty<string>()), ("count", 2L), ("node", "n"),
            ("api", (short)3), ("size", ulong.MaxValue), ("share", 0.5), ("nothing", double.NaN)]));
        var text = new StringWriter();

        formatter.Write(
            new LogEntry<NodeEventState>(LogLevel.Warning, "RaftMq", new EventId(1041, "x"), state, new IOException("broken"), (it, _) => it.ToString()),
            scopeProvider: null, text);

        string line = Assert.Single(text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        JsonElement document = JsonSerializer.Deserialize<JsonElement>(line);
        Assert.Equal(["Timestamp", "EventId", "LogLevel", "Category", "Message", "Exception", "State"], document.EnumerateObject().Select(one => one.Name));
        Assert.Equal((1041, "Warning", "RaftMq"), (document.GetProperty("EventId").GetInt32(), Text(document, "LogLevel"), Text(document, "Category")));
        Assert.Equal("LeadershipBegan: Leads \"a\",\nb.", Text(document, "Message"));
        Assert.Contains("broken", Text(document, "Exception"));
        JsonElement facts = document.GetProperty("State");
        Assert.Equal(
            ["\"LeadershipBegan\"", """["a, with a comma","b"]""", "[1,2]", "[]", "2", "\"n\"", "3", "18446744073709551615", "0.5", "\"NaN\""],
            new[] { "event", "groups", "numbers", "none", "count", "node", "api", "size", "share", "nothing" }.Select(name => facts.GetProperty(name).GetRawText()));
    }

    /// <summary>Red before: <c>Node</c> beside the <c>node</c> of the node's own events, "n7" for 7, and the text of the program besides.</summary>
    [Fact]
    public void Fact_has_one_spelling_whoever_says_it()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddLogging(logging => logging.AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>(console => console.TimestampFormat = "yyyy"))
            .BuildServiceProvider();
        ConsoleFormatter formatter = services.GetServices<ConsoleFormatter>().Single(formatter => formatter.Name == JsonLogFormatter.FormatterName);
        KeyValuePair<string, object?>[] facts =
            [new("Node", new NodeId(7)), new("NotAfter", "x"), new("several", new[] { new NodeId(1), new NodeId(2) }), new("{OriginalFormat}", "{Node} {NotAfter}")];
        var text = new StringWriter();

        formatter.Write(
            new LogEntry<IReadOnlyList<KeyValuePair<string, object?>>>(LogLevel.Information, "RaftMq", new EventId(1), facts, null, (_, _) => "told"),
            scopeProvider: null, text);

        JsonElement document = JsonSerializer.Deserialize<JsonElement>(text.ToString());
        Assert.Equal("told", Text(document, "Message"));
        Assert.Equal("""{"node":7,"notAfter":"x","several":[1,2]}""", document.GetProperty("State").GetRawText());
    }

    [Fact]
    public void List_of_a_log_line_has_commas_for_people() => Assert.Equal("1, b", new LoggedList([1, "b"]).ToString());

    private static string? Text(JsonElement document, string name) => document.GetProperty(name).GetString();

    [Fact]
    public void Page_has_every_event_with_its_number_and_level() => DocumentTable.CheckStarts(
        "operations.md", "events",
        Enum.GetValues<NodeEventKind>().Select(kind => $"| {(int)kind} | {kind} | {new NodeEvent(kind, "", []).Level.ToString().ToLowerInvariant()} | "));
}
