namespace RaftMq.Storage.Recovery;

/// <summary>The journal can't be opened with what the caller says it is. The message tells the operator what to do.</summary>
public sealed class JournalRefusedException : IOException
{
    public JournalRefusedException(string message)
        : base(message)
    {
    }

    public JournalRefusedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public JournalRefusedException()
    {
    }
}
