using RaftMq.Storage.Files;

namespace RaftMq.Storage.Journal;

/// <summary>A journal file that holds, or will hold, batches: its life is prepared, current, full, free (then another number).</summary>
internal sealed class JournalFile(long number, long basePosition, long sizeBytes)
{
    public const string Folder = "journal";
    private const string Extension = ".journal";

    /// <summary>Names the file and never comes again, so that old bytes in a recycled file are known as old (D-11).</summary>
    public long Number { get; } = number;

    /// <summary>The journal position of the file's first byte.</summary>
    public long BasePosition { get; } = basePosition;

    public long SizeBytes { get; } = sizeBytes;

    /// <summary>Open while the file is prepared or current.</summary>
    public IDiskFile? Handle { get; set; }

    public long UsedBytes { get; set; }

    public long Position => BasePosition + UsedBytes;

    /// <summary>Groups that had entries here when they were written, in that order; some need them no more.</summary>
    public List<GroupLedger> Holders { get; } = [];

    /// <summary>Runs of entries here that are still needed. The file is free when none is left and it is not the current one.</summary>
    public int NeededRuns { get; set; }

    /// <summary>It holds what is left of something that was lost: it is not used again before a later start, when that is over.</summary>
    public bool IsKept { get; set; }

    /// <summary>True once its holders were asked to release it.</summary>
    public bool ReleaseAsked { get; set; }

    public string Path => PathOf(Number);

    public static string PathOf(long number) => $"{Folder}/{number:d16}{Extension}";

    public static bool TryParse(string name, out long number)
    {
        number = 0;
        return name.Length == 16 + Extension.Length
            && name.EndsWith(Extension, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, 16), System.Globalization.NumberStyles.None, null, out number)
            && number > 0;
    }
}
