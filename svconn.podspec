# SPDX-License-Identifier: ISC
Pod::Spec.new do |s|
  s.name = 'svconn'
  s.version = '0.1.0'
  s.summary = 'Authenticated, encrypted messages over anything that carries bytes'
  s.homepage = 'https://svconn.example'
  s.license = { :type => 'ISC', :file => 'LICENSE' }
  s.authors = 'the svconn authors'
  s.source = { :git => 'https://svconn.example/svconn.git', :tag => s.version.to_s }
  s.source_files = 'svc/*.{c,h}', 'crypto/*.{c,h}'
  s.public_header_files = 'svc/svconn.h'
  s.compiler_flags = '-std=c11'
  s.ios.deployment_target = '12.0'
  s.osx.deployment_target = '10.13'
end
