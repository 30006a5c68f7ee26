namespace RaftMq.Server.Hosting;

/// <summary>What the process says with its exit code; listed in docs/configuration.md.</summary>
internal static class ExitCodes
{
    /// <summary>Stopped as asked, everything flushed.</summary>
    public const int Stopped = 0;

    /// <summary>The configuration is wrong (EX_CONFIG). Starting again does not help.</summary>
    public const int Configuration = 78;

    /// <summary>A promise could not be kept: broken invariant, failed write or fsync (EX_SOFTWARE). The report is on standard error.</summary>
    public const int Fatal = 70;

    /// <summary>Something outside prevents the start: port taken, data folder in use, unsupported system (EX_UNAVAILABLE).</summary>
    public const int CannotStart = 69;
}
