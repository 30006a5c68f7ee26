using System.Buffers.Binary;
using System.Security.Cryptography;
using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Digests;

/// <summary>What a replica's state was after an entry was applied. Two replicas of a group that differ there have diverged, though their logs agree.</summary>
/// <param name="Version">Of the state's stored form: digests of two forms say nothing about each other.</param>
/// <param name="Hash">The first 64 bits of the SHA-256 of the state's snapshot.</param>
internal readonly record struct StateDigest(LogIndex Index, int Version, ulong Hash)
{
    public static StateDigest Of(LogIndex index, ReadOnlySpan<byte> state)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(state, hash);
        return new StateDigest(index, StateVersions.Current, BinaryPrimitives.ReadUInt64BigEndian(hash));
    }
}
