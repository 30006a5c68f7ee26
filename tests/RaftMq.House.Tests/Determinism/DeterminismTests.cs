using System.Reflection;

namespace RaftMq.House.Tests.Determinism;

/// <summary>
/// The deterministic projects as compiled: the same seed and the same inputs give the same outputs (design, section 2). What the analyzers
/// read in the sources is checked here in the assemblies.
/// </summary>
public sealed class DeterminismTests
{
    /// <summary>Static fields that a person has looked at: type.field and why it is no state.</summary>
    private static readonly Dictionary<string, string> JustifiedStatics = new(StringComparer.Ordinal)
    {
        ["RaftMq.Storage.Crc32C._overOneStream"] = "A table that follows from constants; read for each checksum, written by nobody.",
        ["RaftMq.Storage.Crc32C._overTwoStreams"] = "As the other.",
    };

    public static TheoryData<string> Assemblies => ["RaftMq.Raft", "RaftMq.Storage", "RaftMq.Broker"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Nothing_deterministic_holds_takes_or_gives_threads_tasks_time_or_chance(string assembly) =>
        Assert.Empty(BannedKinds.In(Assembly.Load(assembly).GetTypes()));

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Nothing_deterministic_names_threads_tasks_time_or_chance(string assembly) =>
        Assert.Empty(BannedKinds.NamedBy(Assembly.Load(assembly)));

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Nothing_deterministic_keeps_state_in_static_fields(string assembly) =>
        Assert.Empty(StaticState.In(Assembly.Load(assembly).GetTypes(), JustifiedStatics));

    [Fact]
    public void Every_justified_static_field_is_still_there_and_would_be_refused_without_its_reason()
    {
        IEnumerable<string> refused = Assemblies
            .SelectMany(a => StaticState.In(Assembly.Load(a.Data).GetTypes(), new Dictionary<string, string>(StringComparer.Ordinal)))
            .Select(f => f[..f.IndexOf(':', StringComparison.Ordinal)]);
        Assert.Equal(JustifiedStatics.Keys.Order(StringComparer.Ordinal), refused.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_guard_of_kinds_finds_each_of_those_that_are_bad()
    {
        string[] found = [.. BannedKinds.In(Of(typeof(BadKinds)))];
        string[] wanted =
        [
            "field Field is of System.Random",
            "field Inside is of System.Threading.Thread",
            "the result of Result is of System.Threading.Tasks.Task",
            "parameter token of Parameter is of System.Threading.CancellationToken",
            "parameter timer of Reference is of System.Threading.Timer",
            "a variable of Variable is of System.DateTimeOffset",
            "an interface is of System.Runtime.CompilerServices.IAsyncStateMachine",
            "field timer is of System.Threading.PeriodicTimer",
        ];

        Assert.All(wanted, w => Assert.Contains(found, f => f.EndsWith(w, StringComparison.Ordinal)));
        Assert.Empty(BannedKinds.In(Of(typeof(BadStatics))));
        Assert.Contains(BannedKinds.NamedBy(typeof(BadKinds).Assembly), f => f.EndsWith("Concurrent.Partitioner", StringComparison.Ordinal));
    }

    [Fact]
    public void The_guard_of_static_fields_finds_state_and_nothing_else()
    {
        const string Prefix = "RaftMq.House.Tests.Determinism.BadStatics";
        string[] found = [.. StaticState.In(Of(typeof(BadStatics)), new Dictionary<string, string>(StringComparer.Ordinal))];
        string[] wanted =
        [
            $"{Prefix}+Generic`1.Number: is one for each type argument, and its value can't be looked at",
            $"{Prefix}.Auto: is not readonly",
            $"{Prefix}.Count: is not readonly",
            $"{Prefix}.Deep: holds a Counter, whose Value can be set",
            $"{Prefix}.Elements: holds a Int32[], whose elements can be set",
            $"{Prefix}.Growing: holds a List`1, whose _items can be set",
            $"{Prefix}.Hidden: holds a Counter, whose Value can be set",
            $"{Prefix}.InStruct: holds a Counter, whose Value can be set",
            $"{Prefix}.PerThread: is another one in each thread",
            $"{Prefix}.Table: holds a Dictionary`2, whose _buckets can be set",
        ];

        Assert.Equal(wanted.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<Type> Of(Type type) =>
        type.GetNestedTypes(BindingFlags.Public | BindingFlags.NonPublic).SelectMany(Of).Prepend(type);
}
