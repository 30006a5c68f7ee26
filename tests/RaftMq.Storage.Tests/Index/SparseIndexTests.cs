using RaftMq.Raft;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Index;

public class SparseIndexTests
{
    [Fact]
    public void All_three_look_ups_find_a_point_from_which_reading_on_meets_the_entry()
    {
        RandomSource random = new(8);
        (SparseIndex index, List<EntryHeader> headers) = Make(random, 3000);
        Assert.InRange(index.Points.Count, 20, 400);
        for (int i = 0; i < 2000; i++)
        {
            LogIndex wanted = new(1 + random.Next(headers.Count));
            Assert.True(index.ForIndex(wanted).Index <= wanted);

            long offset = random.NextInt64(index.Summary.NextOffset);
            EntryHeader holding = headers.First(header => header.NextOffset > offset);
            Assert.True(index.ForOffset(offset).Index <= holding.Index);

            long timestamp = random.NextInt64(index.Summary.MaxTimestampMs + 1);
            EntryHeader young = headers.First(header => header.RecordCount > 0 && header.TimestampMs >= timestamp);
            IndexPoint point = index.ForTimestamp(timestamp);
            Assert.True(point.Index <= young.Index);

            // And not much further back than one stretch between points.
            Assert.True(index.Points.Count(p => p.Index > point.Index && p.Index <= young.Index) <= 1);
        }
    }

    [Fact]
    public void The_file_comes_back_equal_and_no_flipped_or_missing_byte_is_taken()
    {
        (SparseIndex index, _) = Make(new RandomSource(9), 60);
        byte[] bytes = IndexFile.Encode(LogHarness.Group, index);
        SparseIndex read = IndexFile.TryDecode(bytes, LogHarness.Group, new LogIndex(1))!;
        Assert.Equal(index.Summary, read.Summary);
        Assert.Equal(index.Points, read.Points);
        Assert.Null(IndexFile.TryDecode(bytes, LogHarness.Group, new LogIndex(2)));
        Assert.Null(IndexFile.TryDecode(bytes, new GroupId(1), new LogIndex(1)));
        for (int i = 0; i < bytes.Length; i++)
        {
            Assert.Null(IndexFile.TryDecode(bytes.AsSpan(0, i), LogHarness.Group, new LogIndex(1)));
            bytes[i] ^= 16;
            Assert.Null(IndexFile.TryDecode(bytes, LogHarness.Group, new LogIndex(1)));
            bytes[i] ^= 16;
        }
    }

    [Fact]
    public void An_index_whose_points_lie_outside_its_segment_or_out_of_order_is_not_taken()
    {
        (SparseIndex index, _) = Make(new RandomSource(9), 60);
        IndexPoint[] points = [.. index.Points];
        Assert.True(points.Length > 2);
        Assert.NotNull(Read(points));
        Assert.Null(Read([points[0] with { Position = -1 }, .. points[1..]]));
        Assert.Null(Read([.. points[1..]]));
        Assert.Null(Read([.. points[..^1], points[^1] with { Position = index.Summary.LengthBytes }]));
        Assert.Null(Read([.. points[..^1], points[^1] with { Index = index.Summary.Last.Next }]));
        Assert.Null(Read([points[0], points[2], points[1], .. points[3..]]));

        SparseIndex? Read(IndexPoint[] changed) =>
            IndexFile.TryDecode(IndexFile.Encode(LogHarness.Group, new SparseIndex(index.Summary, changed)), LogHarness.Group, new LogIndex(1));
    }

    private static (SparseIndex Index, List<EntryHeader> Headers) Make(RandomSource random, int entries)
    {
        SparseIndex index = new(new LogIndex(1), 0);
        List<EntryHeader> headers = [];
        long offset = 0;
        for (int i = 1; i <= entries; i++)
        {
            int records = random.OneIn(5) ? 0 : random.Next(1, 50);
            EntryHeader header = new(
                random.Next(64, 8000),
                records == 0 ? EntryKind.Noop : EntryKinds.Data,
                i == 1 ? EntryFlags.StartsSegment : EntryFlags.None,
                new Term(1),
                new LogIndex(i),
                offset,
                records,
                0,
                (i * 10) + random.Next(2000),
                LogHarness.Group);
            index.Add(header);
            headers.Add(header);
            offset = header.NextOffset;
        }

        return (index, headers);
    }
}
