using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>A file whose content counts, and up to which position; from there on a newer generation wrote everything anew.</summary>
/// <param name="Opening">Its first batch; null when that can't be read though later ones can.</param>
internal sealed record LineageFile(JournalFileReader Reader, FoundBatch? Opening, long BasePosition, long LimitPosition);

/// <summary>
/// Which files of the folder count. Newest first: a file counts unless it is blank, or a newer generation's cut makes it void. A
/// generation whose first batch is torn never was: nothing left the node in its name.
/// </summary>
internal sealed class JournalLineage
{
    /// <summary>Ascending.</summary>
    public List<LineageFile> Files { get; } = [];

    /// <summary>Files without a batch of their own; nothing in them ever counted or will.</summary>
    public List<FreeFile> Blank { get; } = [];

    /// <summary>Files of generations that were cut away. Free once the new generation's first batch is durable.</summary>
    public List<FreeFile> Void { get; } = [];

    /// <summary>The greatest generation that was ever seen here, void ones included.</summary>
    public long GenerationMax { get; private set; }

    /// <summary>The newest file with a batch of its own; 0 without any.</summary>
    public long NewestReadable { get; private set; }

    /// <summary>No position at or behind this one was ever used.</summary>
    public long PositionMax { get; private set; }

    public static JournalLineage Of(IReadOnlyList<JournalFileReader> readersAscending)
    {
        JournalLineage lineage = new();
        long limit = long.MaxValue;
        byte[] buffer = [];
        for (int i = readersAscending.Count - 1; i >= 0; i--)
        {
            JournalFileReader reader = readersAscending[i];
            FoundBatch? first = reader.FindFrom(0);
            FreeFile asFree = new(JournalFile.PathOf(reader.Number), reader.Number);
            if (first is null)
            {
                lineage.Blank.Add(asFree);
                continue;
            }

            lineage.NewestReadable = Math.Max(lineage.NewestReadable, reader.Number);
            lineage.GenerationMax = Math.Max(lineage.GenerationMax, first.Header.Generation);
            long basePosition = first.Header.Position - first.Header.FileOffset;
            lineage.PositionMax = Math.Max(lineage.PositionMax, basePosition + reader.Length);
            FoundBatch? opening = first.Header.FileOffset == 0 ? first : null;
            bool isTorn = opening is not null && lineage.IsTornGeneration(reader, opening, ref buffer);
            if (basePosition >= limit || isTorn)
            {
                lineage.Void.Add(asFree);
                continue;
            }

            lineage.Files.Insert(0, new LineageFile(reader, opening, basePosition, limit));
            if (opening is not null && opening.Header.OpensGeneration)
            {
                limit = opening.Header.Cut.From;
            }
        }

        return lineage;
    }

    /// <summary>
    /// True: the batch opens a generation, can't be read, and nothing shows that it was ever durable. A later batch of it would: that
    /// is written only after the first one's fsync.
    /// </summary>
    private bool IsTornGeneration(JournalFileReader reader, FoundBatch opening, ref byte[] buffer) =>
        opening.Header.OpensGeneration
        && !reader.TryReadBody(opening, ref buffer, out _)
        && reader.FindFrom(opening.Header.FileEnd) is null
        && !Files.Exists(file => file.Opening?.Header.Generation == opening.Header.Generation);
}
