namespace RaftMq.Server.Hosting;

/// <summary>Something outside of the program prevents the start. The message is one sentence for the operator.</summary>
internal sealed class CannotStartException : Exception
{
    public CannotStartException(string message)
        : base(message)
    {
    }

    public CannotStartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public CannotStartException()
    {
    }
}
