using System.Numerics;
using System.Runtime.InteropServices;
using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>CRC and parity of whole blocks. This and the copy into the batch are all that the journal costs per byte.</summary>
internal static class BlockGuard
{
    /// <summary>Folds a block into the parity block.</summary>
    public static void Fold(ReadOnlySpan<byte> block, Span<byte> parity)
    {
        Invariant.Holds(block.Length == parity.Length);
        ReadOnlySpan<Vector<byte>> from = MemoryMarshal.Cast<byte, Vector<byte>>(block);
        Span<Vector<byte>> into = MemoryMarshal.Cast<byte, Vector<byte>>(parity);
        for (int i = 0; i < into.Length; i++)
        {
            into[i] ^= from[i];
        }
    }
}
