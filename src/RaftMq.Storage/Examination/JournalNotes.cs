using System.Globalization;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Examination;

/// <summary>Notes what a walk through the journal meets, and then says it file by file.</summary>
/// <param name="nameOf">Of a group, for people.</param>
internal sealed class JournalNotes(Func<GroupId, string> nameOf) : IJournalWitness
{
    /// <summary>Bad places told one by one of each file; a rotten disk may have very many.</summary>
    private const int PlacesToldMax = 10;
    private const int GroupsToldMax = 10;

    private readonly SortedDictionary<long, Notes> _files = [];

    public void Batch(JournalFile file, FoundBatch batch, bool isWhole, bool isMended)
    {
        Notes notes = Of(file.Number);
        notes.Batches++;
        if (isMended)
        {
            notes.Mended.Add((batch.Header.FileOffset, batch.Header.Position));
        }
        else if (!isWhole)
        {
            notes.Add($"the batch at {batch.Header.FileOffset} can't be read, which held {Contents(batch)}");
        }
    }

    public void Torn(JournalFile file, FoundBatch batch) => Of(file.Number).TornAt = batch.Header.FileOffset;

    public void Hole(long file, string report) => Of(file).Add(report);

    /// <summary>All journal files that lie in the folder, and those that should.</summary>
    public IEnumerable<ExaminedFile> Tell(IDisk disk, JournalExamination examination)
    {
        SortedSet<long> numbers = [.. _files.Keys];
        foreach (string name in disk.List(JournalFile.Folder))
        {
            if (JournalFile.TryParse(name, out long number))
            {
                numbers.Add(number);
            }
            else
            {
                yield return new ExaminedFile($"{JournalFile.Folder}/{name}", FileRole.Other, FileState.Foreign, 0, "none of the journal's files");
            }
        }

        foreach (long number in numbers)
        {
            yield return Tell(disk, number, examination);
        }
    }

    private ExaminedFile Tell(IDisk disk, long number, JournalExamination examination)
    {
        string path = JournalFile.PathOf(number);
        bool exists = disk.FileExists(path);
        long bytes = exists ? LengthOf(disk, path) : 0;
        Notes notes = _files.GetValueOrDefault(number) ?? new Notes();

        // At or behind what is known to be durable a crash may have torn one block as well.
        int mended = notes.Mended.Count(batch => batch.Position < examination.DurableUpTo);
        FileState state = !exists ? FileState.Missing
            : notes.Bad > 0 ? FileState.Damaged
            : mended > 0 ? FileState.Mendable
            : notes.TornAt is not null || notes.Mended.Count > 0 ? FileState.Torn
            : FileState.Whole;
        List<string> detail = [];
        LineageFile? counts = examination.Lineage.Files.Find(file => file.Reader.Number == number);
        bool isFollowed = examination.Followed.Any(file => file.Number == number);
        if (notes.Batches > 0)
        {
            detail.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{notes.Batches} batch{(notes.Batches == 1 ? "" : "es")} of generation {counts?.Opening?.Header.Generation.ToString(CultureInfo.InvariantCulture) ?? "?"}"));
        }

        detail.AddRange(notes.Places);
        if (notes.Bad > notes.Places.Count)
        {
            detail.Add($"and {notes.Bad - notes.Places.Count} bad places more");
        }

        if (mended > 0)
        {
            detail.Add(
                $"in {mended} of them a block is bad and made whole by its parity or copy, the first at {notes.Mended[0].Offset}");
        }

        if (notes.TornAt is { } torn)
        {
            detail.Add($"the last batch, at {torn}, was on its way and never counted");
        }
        else if (notes.Mended.Count > mended)
        {
            detail.Add($"the last batch, at {notes.Mended[^1].Offset}, was on its way and is made whole");
        }

        if (state == FileState.Whole && !isFollowed)
        {
            // A start that refuses did not come to tell what is needed.
            bool isFree = examination.Refusals.Count == 0 || examination.Lineage.Void.Exists(file => file.Path == path);
            state = isFree ? FileState.Leftover : FileState.Unjudged;
            detail.Add(!isFree ? "a start does not come to read it"
                : number < examination.KeptBelowFile ? "kept, because it is what is left of something that was lost"
                : examination.Lineage.Blank.Exists(file => file.Path == path) ? "holds nothing; the journal's next file, or one to be used again"
                : examination.Lineage.Void.Exists(file => file.Path == path) ? "replaced by a later start; to be used again"
                : "nothing in it is needed any more");
        }

        return new ExaminedFile(path, FileRole.Journal, state, bytes, string.Join("; ", detail));
    }

    private Notes Of(long number)
    {
        if (!_files.TryGetValue(number, out Notes? notes))
        {
            notes = new Notes();
            _files.Add(number, notes);
        }

        return notes;
    }

    private static long LengthOf(IDisk disk, string path)
    {
        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        return file.Length;
    }

    private string Contents(FoundBatch batch)
    {
        string[] runs =
        [
            .. batch.Rows().Where(static row => row.Has(RowParts.Entries) && !row.Has(RowParts.State))
                .Select(row => $"{nameOf(row.Group)} entries {row.FirstIndex} to {row.LastIndex}"),
        ];
        return runs.Length <= GroupsToldMax
            ? string.Join(", ", runs)
            : $"{string.Join(", ", runs[..GroupsToldMax])} and of {runs.Length - GroupsToldMax} groups more";
    }

    /// <summary>Of one file.</summary>
    private sealed class Notes
    {
        public long Batches { get; set; }

        public List<(long Offset, long Position)> Mended { get; } = [];

        public long? TornAt { get; set; }

        public int Bad { get; private set; }

        /// <summary>The first of the bad places.</summary>
        public List<string> Places { get; } = [];

        public void Add(string place)
        {
            if (Bad++ < PlacesToldMax)
            {
                Places.Add(place);
            }
        }
    }
}
