using RaftMq.Storage.Journal;

namespace RaftMq.Simulation.Disk;

/// <summary>What a node's disk was doing when its process ended: the operation, and what the file is for.</summary>
internal static class CrashPoint
{
    private static readonly string[] Operations = ["write", "sync"];
    private static readonly string[] Files = ["journal", "journal mark", "segment", "index", "checkpoint", "identity or other"];

    /// <summary>Lengths are set where a file is cut only: a segment at a start, a journal file that is used again and was larger.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. from operation in Operations from file in Files select Name(operation, file),
        Name("length", "journal"), Name("length", "segment"), "sync of a folder", "change of a name",
    ];

    public static string Of(string operation, string path) => Name(operation, FileOf(path));

    private static string Name(string operation, string file) => $"{operation} of {file}";

    private static string FileOf(string path) => path switch
    {
        JournalMarkFile.Path => "journal mark",
        _ when path.EndsWith(".journal", StringComparison.Ordinal) => "journal",
        _ when path.EndsWith(".log", StringComparison.Ordinal) => "segment",
        _ when path.Contains(".index", StringComparison.Ordinal) => "index",
        _ when path.Contains(".checkpoint", StringComparison.Ordinal) || path.EndsWith("install.tmp", StringComparison.Ordinal) => "checkpoint",
        _ => "identity or other",
    };
}
