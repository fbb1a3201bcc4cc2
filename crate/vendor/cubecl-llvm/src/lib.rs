//! Stands in for CubeCL's LLVM compiler, in the CUDA build alone.
//!
//! CubeCL has two ways to CUDA: CUDA C++ through NVIDIA's own compiler (NVRTC), and PTX through an LLVM of its own. We
//! take the first (the feature `cuda-cpp`): it knows every matrix unit, and the second gives many up. But cubecl-cuda
//! depends on both, and the real crate downloads a compiled LLVM in its build script, which no machine without the open
//! network can. This one has the names that cubecl-cuda says, and refuses to compile.

use cubecl_core::ir::nvidia::SmArch;
use cubecl_core::prelude::KernelDefinition;
use cubecl_environment::backtrace::BackTrace;
use cubecl_runtime::compiler::{CompilationError, Compiler};
use cubecl_runtime::kernel::BufferIOAttr;
use std::ffi::c_char;
use std::fmt::{self, Display, Formatter};

/// What a kernel is compiled for.
#[derive(Clone, Copy, Debug)]
pub enum LlvmTarget {
    Nvptx,
}

/// A compiler that refuses.
#[derive(Clone, Debug)]
pub struct PlironCompiler {
    pub target: LlvmTarget,
}

/// What the compiler would be asked to heed.
#[derive(Clone, Debug, Default)]
pub struct PlironOptions {
    /// An AMD GPU's architecture, in another backend.
    pub arch: Option<()>,
    pub sm_arch: Option<SmArch>,
    pub ptx_version: Option<nvptx::ptx_version::PtxVersion>,
    pub grid_constants: bool,
}

/// What the compiler would make; there is never one.
#[non_exhaustive]
pub enum PlironArtifact {
    NvptxCode(NvptxModule),
}

/// A kernel in PTX; there is never one.
#[derive(Clone, Debug)]
pub struct NvptxModule {
    pub ptx: Vec<c_char>,
    pub ir: String,
    pub shared_memory_size: usize,
    pub io: Vec<BufferIOAttr>,
}

impl Display for PlironArtifact {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            PlironArtifact::NvptxCode(module) => f.write_str(&module.ir),
        }
    }
}

impl Compiler for PlironCompiler {
    type Representation = PlironArtifact;
    type CompilationOptions = PlironOptions;

    fn compile(
        &mut self,
        _: KernelDefinition,
        _: &PlironOptions,
    ) -> Result<PlironArtifact, CompilationError> {
        let reason = "CubeCL's LLVM is left out of this build; build with the feature `cuda-cpp` of cubecl";
        Err(CompilationError::Generic { reason: reason.into(), backtrace: BackTrace::capture() })
    }

    fn extension(&self) -> &'static str {
        "ll"
    }

    fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}

pub mod nvptx {
    pub mod ptx_version {
        use std::fmt::{self, Display, Formatter};

        /// A version of PTX; there is never one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PtxVersion {}

        impl PtxVersion {
            pub fn for_driver(_: i32) -> Option<Self> {
                None
            }
        }

        impl Display for PtxVersion {
            fn fmt(&self, _: &mut Formatter) -> fmt::Result {
                match *self {}
            }
        }
    }
}

pub mod shared {
    pub mod lowered_features {
        use cubecl_core::ir::DeviceProperties;

        #[derive(Clone, Copy, Debug)]
        pub enum GpuTarget {
            Nvptx,
        }

        /// Nothing is left out: the other compiler is the one that is used.
        pub fn restrict_features(_: &mut DeviceProperties, _: GpuTarget) {}
    }
}
