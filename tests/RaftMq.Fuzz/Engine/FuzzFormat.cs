using RaftMq.Fuzz.Mutation;

namespace RaftMq.Fuzz.Engine;

/// <summary>One kind of bytes that come from outside, with what must hold whatever they are.</summary>
internal abstract class FuzzFormat
{
    private long _measuredFrom;
    private long? _measured;

    public abstract string Name { get; }

    /// <summary>Whose branches are counted: full names of types, or "type::method"; a name ending in '*' is a beginning.</summary>
    public abstract IReadOnlyList<string> Parsers { get; }

    /// <summary>Longer inputs are cut.</summary>
    public virtual int InputBytesMax => 16 << 10;

    /// <summary>Bytes that are inserted or taken out make most of the format's inputs nonsense: do it rarely.</summary>
    public virtual bool KeepsLength => false;

    /// <summary>Longer than this on a slow and busy machine is a loop that does not end.</summary>
    public virtual TimeSpan TimeMax => TimeSpan.FromSeconds(10);

    /// <summary>With so many finds a run ends.</summary>
    public virtual int FindsMax => 20;

    /// <summary>Texts and magic numbers that the mutator puts in, besides the numbers that stand in the parsers' code.</summary>
    public virtual IReadOnlyList<byte[]> Tokens => [];

    /// <summary>Valid inputs, made by the product's own encoders.</summary>
    public abstract IEnumerable<byte[]> Seeds();

    /// <summary>Reads the input as the product does and throws when anything is not as it must be. The parser's own refusals are no finds.</summary>
    public abstract void Run(byte[] input);

    /// <summary>What reading so many bytes may allocate.</summary>
    public virtual long AllocatedBytesMax(int inputBytes) => (64L * inputBytes) + (64 << 10);

    /// <summary>Makes the checksums of a mutant right, so that what lies behind them is reached; in place.</summary>
    public virtual void Repair(byte[] input, FuzzRandom random)
    {
        // Most formats have none.
    }

    /// <summary>Parts of other seeds may stand in a sealed mutant: what they hold was written, too.</summary>
    public virtual bool SealedHasOthers => false;

    /// <summary>
    /// A mutant whose checksums were left alone: what is read out of it must stand in the seed that it was made of. Throws otherwise.
    /// </summary>
    public virtual void CheckSealed(byte[] seed, byte[] mutant)
    {
        // For formats whose checksums cover everything.
    }

    public void BeginMeasure()
    {
        _measured = null;
        _measuredFrom = GC.GetAllocatedBytesForCurrentThread();
    }

    public long EndMeasure()
    {
        ReadDone();
        return _measured!.Value;
    }

    /// <summary>What is allocated from here on in <see cref="Run"/> is the check's, not the parser's.</summary>
    protected void ReadDone() => _measured ??= GC.GetAllocatedBytesForCurrentThread() - _measuredFrom;
}
