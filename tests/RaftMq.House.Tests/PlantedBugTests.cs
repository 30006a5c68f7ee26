using System.Reflection;
using System.Text.RegularExpressions;

namespace RaftMq.House.Tests;

/// <summary>The mistakes that the simulator is tested with are not in what is built to be run.</summary>
public sealed class PlantedBugTests
{
    private static string Folder => Path.Combine(Repository.Root, "src", "PlantedBugs");

    [Theory]
    [InlineData("RaftMq.Raft")]
    [InlineData("RaftMq.Storage")]
    [InlineData("RaftMq.Broker")]
    public void Every_planted_bug_is_a_constant_that_is_false(string assembly)
    {
        Type bugs = Assembly.Load(assembly).GetType("RaftMq.PlantedBug", throwOnError: true)!;
        MemberInfo[] members = bugs.GetMembers(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly);

        Assert.InRange(members.Length, 30, 1_000);
        Assert.All(members, member =>
        {
            FieldInfo field = Assert.IsAssignableFrom<FieldInfo>(member);
            Assert.True(field.IsLiteral, field.Name);
            Assert.Equal(false, field.GetRawConstantValue());
        });
    }

    [Fact]
    public void Switches_and_constants_have_the_same_names() => Assert.Equal(
        Names("PlantedBug.cs", @"public const bool (?<name>\w+) = false;"),
        Names("PlantedBug.Switches.cs", @"public static bool (?<name>\w+);"));

    [Fact]
    public void Every_planted_bug_is_in_the_code()
    {
        string code = string.Concat(Repository.Files("*.cs")
            .Where(path => path.StartsWith(Path.Combine(Repository.Root, "src") + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                && !path.StartsWith(Folder, StringComparison.Ordinal))
            .Select(File.ReadAllText));

        Assert.All(
            Names("PlantedBug.cs", @"public const bool (?<name>\w+) = false;"),
            name => Assert.Contains($"PlantedBug.{name}", code, StringComparison.Ordinal));
    }

    private static string[] Names(string file, string pattern) =>
        [.. Regex.Matches(File.ReadAllText(Path.Combine(Folder, file)), pattern, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Select(match => match.Groups["name"].Value)];
}
