using System.IO.Compression;
using RaftMq.Fuzz.Mutation;

namespace RaftMq.Fuzz.Engine;

/// <summary>Inputs worth keeping: each reached something that none before it had.</summary>
internal sealed class Corpus
{
    private const int Newest = 16;

    private readonly List<Item> _items = [];

    public int Count => _items.Count;

    public IReadOnlyList<byte[]> Inputs => [.. _items.Select(item => item.Bytes)];

    public void Add(byte[] bytes) => _items.Add(new Item(bytes));

    /// <summary>One that was picked less often than another; every fourth time one of the newest.</summary>
    public byte[] Pick(FuzzRandom random)
    {
        Item picked;
        if (random.OneIn(4))
        {
            picked = _items[_items.Count - 1 - random.Below(Math.Min(Newest, _items.Count))];
        }
        else
        {
            picked = _items[random.Below(_items.Count)];
            Item rival = _items[random.Below(_items.Count)];
            picked = rival.Picks < picked.Picks ? rival : picked;
        }

        picked.Picks++;
        return picked.Bytes;
    }

    /// <summary>A file of inputs behind each other, compressed.</summary>
    public static void Write(string path, IEnumerable<byte[]> inputs)
    {
        using FileStream file = File.Create(path);
        using BrotliStream packed = new(file, CompressionLevel.SmallestSize);
        using BinaryWriter writer = new(packed);
        foreach (byte[] input in inputs)
        {
            writer.Write7BitEncodedInt(input.Length);
            writer.Write(input);
        }

        writer.Write7BitEncodedInt(-1);
    }

    public static List<byte[]> Read(string path)
    {
        List<byte[]> inputs = [];
        if (!File.Exists(path))
        {
            return inputs;
        }

        using FileStream file = File.OpenRead(path);
        using BrotliStream packed = new(file, CompressionMode.Decompress);
        using BinaryReader reader = new(packed);
        for (int length = reader.Read7BitEncodedInt(); length >= 0; length = reader.Read7BitEncodedInt())
        {
            inputs.Add(reader.ReadBytes(length));
        }

        return inputs;
    }

    private sealed class Item(byte[] bytes)
    {
        public byte[] Bytes { get; } = bytes;

        public int Picks { get; set; }
    }
}
