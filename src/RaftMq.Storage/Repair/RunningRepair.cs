using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Repair;

/// <summary>Mends one file of a group that runs: a segment in which damage was found, or a base. Reads of what is whole go on meanwhile.</summary>
internal sealed class RunningRepair : GroupRepair
{
    private readonly GroupFiles _files;
    private readonly Segment? _damagedSegment;
    private readonly BaseCheckpoint? _damagedBase;
    private readonly SegmentFetch? _segment;
    private readonly BaseFetch? _base;

    public RunningRepair(GroupLog log, GroupFiles files, GroupLogEnvironment environment, Segment segment)
    {
        (_files, _damagedSegment) = (files, segment);
        What = segment.Path;

        // The file stays while retention cuts it: otherwise it would come back.
        segment.Readers++;
        bool isSealed = !ReferenceEquals(segment, files.Segments.Last);
        SegmentSummary summary = segment.Summary;
        _segment = new SegmentFetch(
            log.Group, log.Folder, segment.First, summary.Last, found => Misfit(found, summary), inPlace: !isSealed, environment.Disk, Changed);
        Wish = _segment.Wish;
    }

    public RunningRepair(GroupLog log, GroupFiles files, GroupLogEnvironment environment, BaseCheckpoint damaged)
    {
        (_files, _damagedBase) = (files, damaged);
        What = CheckpointFile.Path(log.Folder, CheckpointKind.Base, damaged.Index);
        damaged.Readers++;
        _base = new BaseFetch(log.Group, log.Folder, damaged.Index, asInstall: false, log.OwnHead, environment.Disk, Changed);
        Wish = _base.Wish;
    }

    public override void Abandon()
    {
        if (!IsOver)
        {
            Over("it was given up");
        }
    }

    public override bool EntriesCame(IReadOnlyList<Entry> entries)
    {
        bool taken = _segment?.Take(entries) ?? true;
        Wish = _segment?.Wish;
        return taken;
    }

    public override bool BaseCame(long position, ReadOnlyMemory<byte> bytes, long totalBytes)
    {
        bool taken = _base?.Take(position, bytes, totalBytes) ?? true;
        Wish = _base?.Wish;
        return taken;
    }

    private static string? Misfit(in SegmentSummary found, in SegmentSummary known) =>
        found == known ? null : $"it ends with entry {found.Last} after {found.LengthBytes} bytes, not with {known.Last} after {known.LengthBytes}";

    private void Changed(SegmentFetch fetch)
    {
        Wish = fetch.Wish;
        if (fetch.Index is { } index)
        {
            _files.Mended(_damagedSegment!, index);
            Done(fetch.BytesTaken);
        }
        else if (fetch.Failure is { } failure)
        {
            Over($"{What}: {failure}");
        }
    }

    private void Changed(BaseFetch fetch)
    {
        Wish = fetch.Wish;
        if (fetch.Head is { } head)
        {
            _files.Mended(_damagedBase!, head);
            Done(fetch.BytesTaken);
        }
        else if (fetch.Failure is { } failure)
        {
            Over($"{What}: {failure}");
        }
    }

    private void Done(long bytes)
    {
        BytesTaken = bytes;
        FilesMended = 1;
        Probe.Reached(RareBranch.FileMended);
        Over(null);
    }

    private void Over(string? failure)
    {
        (IsOver, Failure, Wish) = (true, failure, null);
        _segment?.Abandon();
        _base?.Abandon();
        if (_damagedSegment is not null)
        {
            _damagedSegment.Readers--;
        }

        if (_damagedBase is not null)
        {
            _damagedBase.Readers--;
        }

        _files.ReaderGone();
    }
}
