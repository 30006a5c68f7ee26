namespace RaftMq.Server.Configuration;

/// <summary>What came of reading the configuration.</summary>
internal abstract record ConfigurationResult
{
    private ConfigurationResult()
    {
    }

    /// <param name="Warnings">Allowed, but worth a line in the log.</param>
    public sealed record Accepted(ServerOptions Options, IReadOnlyList<string> Warnings) : ConfigurationResult;

    /// <param name="Faults">All of them, one sentence each.</param>
    public sealed record Refused(IReadOnlyList<string> Faults) : ConfigurationResult;

    /// <summary>The user asked what there is.</summary>
    public sealed record HelpWanted : ConfigurationResult;

    /// <summary>The user asked which version this is.</summary>
    public sealed record VersionWanted : ConfigurationResult;
}
