namespace RaftMq.Cli;

/// <summary>The command can't do what it was asked. The message is one sentence for the user.</summary>
internal sealed class CommandFailedException : Exception
{
    public CommandFailedException(int exitCode, string message)
        : base(message) => ExitCode = exitCode;

    public CommandFailedException(string message)
        : this(ExitCodes.Failed, message)
    {
    }

    public CommandFailedException(string message, Exception innerException)
        : base(message, innerException) => ExitCode = ExitCodes.Failed;

    public CommandFailedException()
    {
    }

    /// <summary>One of <see cref="ExitCodes"/>.</summary>
    public int ExitCode { get; } = ExitCodes.Failed;
}
