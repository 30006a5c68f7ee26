using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace RaftMq.House.Tests.Determinism;

/// <summary>
/// Finds types that bring other threads, time or chance into the deterministic projects, where the analyzer's list of banned symbols can't
/// look: in what the compiler infers (<c>var</c>), makes (async state machines, closures) or takes from another assembly's signature.
/// </summary>
internal static class BannedKinds
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "System.Random",
        "System.TimeProvider",
        "System.DateTime",
        "System.DateTimeOffset",
        "System.HashCode",
        "System.Diagnostics.Stopwatch",
        "System.Security.Cryptography.RandomNumberGenerator",
        "System.Runtime.CompilerServices.IAsyncStateMachine",
        "System.IAsyncDisposable",
        "System.Timers.Timer",
    };

    /// <summary>All that is in these.</summary>
    private static readonly string[] Namespaces =
        ["System.Threading", "System.Threading.Tasks", "System.Threading.Channels", "System.Collections.Concurrent", "System.Net.Sockets"];

    /// <summary>Bases, fields, parameters, results and local variables, the compiler's own included.</summary>
    public static IEnumerable<string> In(IEnumerable<Type> types)
    {
        foreach (Type type in types)
        {
            foreach ((string what, Type used) in Uses(type))
            {
                foreach (Type banned in Parts(used).Where(t => IsBanned(NameOf(t))).Distinct())
                {
                    yield return $"{type.FullName}: {what} is of {NameOf(banned)}";
                }
            }
        }
    }

    /// <summary>Types of other assemblies that this one's code names anywhere, calls included.</summary>
    public static IEnumerable<string> NamedBy(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        MetadataReader metadata = file.GetMetadataReader();
        var found = new List<string>();
        foreach (TypeReferenceHandle handle in metadata.TypeReferences)
        {
            TypeReference reference = metadata.GetTypeReference(handle);
            string name = $"{metadata.GetString(reference.Namespace)}.{metadata.GetString(reference.Name)}";
            if (IsBanned(name))
            {
                found.Add($"{assembly.GetName().Name} names {name}");
            }
        }

        return found;
    }

    private static IEnumerable<(string What, Type Used)> Uses(Type type)
    {
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic
            | BindingFlags.DeclaredOnly;
        if (type.BaseType is { } parent)
        {
            yield return ("the base", parent);
        }

        foreach (Type contract in type.GetInterfaces())
        {
            yield return ("an interface", contract);
        }

        foreach (FieldInfo field in type.GetFields(All))
        {
            yield return ($"field {field.Name}", field.FieldType);
        }

        foreach (MethodBase method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            if (method is MethodInfo { ReturnType: { } result })
            {
                yield return ($"the result of {method.Name}", result);
            }

            foreach (ParameterInfo parameter in method.GetParameters())
            {
                yield return ($"parameter {parameter.Name} of {method.Name}", parameter.ParameterType);
            }

            foreach (LocalVariableInfo local in method.GetMethodBody()?.LocalVariables ?? [])
            {
                yield return ($"a variable of {method.Name}", local.LocalType);
            }
        }
    }

    /// <summary>The type and all that it is put together from: elements of arrays and references, arguments of generics.</summary>
    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType)
        {
            return Parts(type.GetElementType()!);
        }

        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition()) : [type];
    }

    private static string NameOf(Type type) => $"{type.Namespace}.{type.Name}";

    private static bool IsBanned(string name)
    {
        int dot = name.LastIndexOf('.');
        return Names.Contains(name)
            || name.StartsWith("System.Runtime.CompilerServices.Async", StringComparison.Ordinal)
            || Namespaces.Contains(name[..dot], StringComparer.Ordinal);
    }
}
