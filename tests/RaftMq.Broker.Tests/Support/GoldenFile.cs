using System.Runtime.CompilerServices;

namespace RaftMq.Broker.Tests.Support;

/// <summary>
/// Bytes of a version, pinned for ever in a file that people can read: blocks that begin with <c>== name</c>, in them one field per line, its
/// bytes in hex (<c>-</c> for none) and what it is. They were put together from the documents, not by the code that they check.
/// </summary>
internal sealed class GoldenFile
{
    private readonly SortedDictionary<string, List<(byte[] Bytes, string Meaning)>> _blocks = new(StringComparer.Ordinal);
    private readonly string _name;

    private GoldenFile(string name) => _name = name;

    public IReadOnlyCollection<string> Blocks => _blocks.Keys;

    public byte[] this[string block] => [.. _blocks[block].SelectMany(field => field.Bytes)];

    /// <summary>The file of that name in the folder Golden beside the test.</summary>
    public static GoldenFile Read(string name, [CallerFilePath] string test = "") => Parse(
        name, File.ReadAllLines(Path.Combine(Path.GetDirectoryName(test)!, "Golden", name)));

    public static GoldenFile Parse(string name, IEnumerable<string> lines)
    {
        var golden = new GoldenFile(name);
        List<(byte[] Bytes, string Meaning)> block = [];
        foreach (string line in lines.Where(l => l.Length > 0 && l[0] != '#'))
        {
            if (line.StartsWith("== ", StringComparison.Ordinal))
            {
                golden._blocks.Add(line[3..], block = []);
                continue;
            }

            string[] parts = line.Split(' ', 2, StringSplitOptions.TrimEntries);
            block.Add((parts[0] == "-" ? [] : Convert.FromHexString(parts[0]), parts[1]));
        }

        return golden;
    }

    /// <summary>Fails, saying which field is another and what to do, when <paramref name="written"/> is not the block.</summary>
    public void AssertUnchanged(string block, ReadOnlySpan<byte> written)
    {
        byte[] golden = this[block];
        int at = written.CommonPrefixLength(golden);
        if (at < golden.Length || at < written.Length)
        {
            Assert.Fail(
                $"'{block}' is not as in {_name} from byte {at} on ({MeaningAt(block, at)}).{System.Environment.NewLine}"
                + $"golden:  {Convert.ToHexString(golden)}{System.Environment.NewLine}"
                + $"written: {Convert.ToHexString(written)}{System.Environment.NewLine}"
                + "The bytes of a version never change. A new layout needs a new version number and a golden file of its own; "
                + "what the old one holds is still read.");
        }
    }

    private string MeaningAt(string block, int position)
    {
        foreach ((byte[] bytes, string meaning) in _blocks[block])
        {
            if (position < bytes.Length)
            {
                return meaning;
            }

            position -= bytes.Length;
        }

        return "behind the end";
    }
}
