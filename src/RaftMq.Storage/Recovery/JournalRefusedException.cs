using RaftMq.Storage.Journal;

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

    /// <summary>A header's CRC holds, so what is wrong was written so. It is no damage, which would be cut off where it is the last batch.</summary>
    /// <param name="what">As the rest of a sentence, without a full stop.</param>
    internal static JournalRefusedException WrittenSo(in BatchHeader header, string what) => new(
        $"{JournalFile.PathOf(header.FileNumber)}, batch at {header.FileOffset}: {what}. Start the "
        + "version that wrote it; if this is that version, keep the folder and report a bug. Nothing was changed.");
}
