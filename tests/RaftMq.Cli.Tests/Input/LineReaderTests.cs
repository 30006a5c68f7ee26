using System.Text;
using RaftMq.Cli.Input;

namespace RaftMq.Cli.Tests.Input;

public sealed class LineReaderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Red before: text lines ended at a lone \r too, and \r\n lost its \r.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("a\n", "a")]
    [InlineData("\n", "")]
    [InlineData("\n\n", "", "")]
    [InlineData("a\nb", "a", "b")]
    [InlineData("a\r\nb\rc\n", "a\r", "b\rc")]
    [InlineData("\r", "\r")]
    public async Task A_line_ends_at_a_line_feed_and_nowhere_else(string input, params string[] lines)
    {
        string[] expected = input.Length == 0 ? [] : lines;
        Assert.Equal(expected, await LinesAsync(new MemoryStream(Encoding.Latin1.GetBytes(input))));
        Assert.Equal(expected, await LinesAsync(new Drops(Encoding.Latin1.GetBytes(input), each: 1)));
    }

    [Fact]
    public async Task Long_and_short_lines_come_whole_however_they_are_cut()
    {
        var random = new Random(7);
        byte[][] lines = [.. Enumerable.Range(0, 200).Select(n =>
        {
            byte[] line = new byte[n % 20 == 0 ? 200_000 : random.Next(300)];
            random.NextBytes(line);
            return Array.ConvertAll(line, value => value == '\n' ? (byte)'x' : value);
        })];
        byte[] input = [.. lines.SelectMany(line => line.Append((byte)'\n'))];
        var reader = new LineReader(new Drops(input, each: 7_919), lineBytesMax: 200_000);
        foreach ((byte[] line, int n) in lines.Select((line, n) => (line, n)))
        {
            Assert.Equal(LineOutcome.Line, await reader.NextAsync(Cancellation));
            Assert.True(reader.Line.Span.SequenceEqual(line));
            Assert.Equal(n + 1, reader.Number);
        }

        Assert.Equal(LineOutcome.End, await reader.NextAsync(Cancellation));
    }

    [Theory]
    [InlineData("ab\nabc\nabcd\nx")]
    [InlineData("ab\nabc\nabcd")]
    public async Task A_line_beyond_the_limit_is_not_read(string input)
    {
        var reader = new LineReader(new Drops(Encoding.ASCII.GetBytes(input), each: 2), lineBytesMax: 3);
        Assert.Equal(LineOutcome.Line, await reader.NextAsync(Cancellation));
        Assert.Equal(LineOutcome.Line, await reader.NextAsync(Cancellation));
        Assert.Equal(LineOutcome.TooLong, await reader.NextAsync(Cancellation));
        Assert.Equal(3, reader.Number);
    }

    /// <summary>A line without an end, as of /dev/zero, takes no more memory than the longest allowed.</summary>
    [Fact]
    public async Task A_line_without_an_end_is_given_up_at_the_limit()
    {
        const int Limit = 1 << 20;
        var endless = new Drops([], each: 50_000, endless: true);
        var reader = new LineReader(endless, Limit);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Equal(LineOutcome.TooLong, await reader.NextAsync(Cancellation));

        Assert.Equal(1, reader.Number);
        Assert.InRange(endless.Given, Limit, Limit + (128 * 1024));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * Limit);
    }

    private static async Task<string[]> LinesAsync(Stream input)
    {
        var reader = new LineReader(input, lineBytesMax: 1000);
        List<string> lines = [];
        LineOutcome outcome;
        while ((outcome = await reader.NextAsync(Cancellation)) == LineOutcome.Line)
        {
            lines.Add(Encoding.Latin1.GetString(reader.Line.Span));
        }

        Assert.Equal(LineOutcome.End, outcome);
        return [.. lines];
    }

    /// <summary>Gives few bytes at a time, as a pipe does.</summary>
    private sealed class Drops(byte[] bytes, int each, bool endless = false) : Stream
    {
        public long Given { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span));

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int count = Math.Min(buffer.Length, each);
            if (!endless)
            {
                count = (int)Math.Min(count, bytes.Length - Given);
                bytes.AsSpan((int)Given, count).CopyTo(buffer);
            }

            Given += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
