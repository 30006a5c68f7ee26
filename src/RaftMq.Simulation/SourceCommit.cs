using System.Reflection;

namespace RaftMq.Simulation;

/// <summary>The commit that this program was built from: a seed replays at its commit only.</summary>
public static class SourceCommit
{
    private const int ShortLength = 7;

    /// <summary>Short form, or "unknown".</summary>
    public static string OfThisBuild { get; } = Find();

    private static string Find()
    {
        // The SDK appends the commit to the informational version: 0.1.0+3df0931…
        string version = typeof(SourceCommit).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        int plus = version.IndexOf('+');
        return plus < 0 ? "unknown" : version[(plus + 1)..][..Math.Min(ShortLength, version.Length - plus - 1)];
    }
}
